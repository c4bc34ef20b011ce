"""Settings of the control plane. Everything that differs between two installations comes from the environment."""

import os
from pathlib import Path

from cloud.config.databases import database_settings
from cloud.config.environment import BASE_DIR, load_environment
from cloud.config.network_ranges import read_physical_networks, read_range
from cloud.config.secrets import secret

load_environment()
STATE_DIR = Path(os.environ.get("NOVELLA_STATE_DIR") or BASE_DIR / "var")
(STATE_DIR / "static").mkdir(parents=True, exist_ok=True)

SECRET_KEY = secret(STATE_DIR, "django")
TOKEN_KEY = secret(STATE_DIR, "tokens")
ORDER_KEY = secret(STATE_DIR, "orders")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("NOVELLA_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")
API_URL = os.environ.get("NOVELLA_API_URL", "http://127.0.0.1:8000")
REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
REGION = os.environ.get("NOVELLA_REGION", "RegionOne")

INSTALLED_APPS = [
    "cloud.config.apps.NovellaAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_celery_results",
    "cloud.core",
    "cloud.identity",
    "cloud.placement",
    "cloud.images",
    "cloud.networks",
    "cloud.compute",
    "cloud.conductor",
]
MIDDLEWARE = [
    "cloud.core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
]
# The admin alone needs sessions, cookies and CSRF; the API never looks at a cookie.
ADMIN_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
MIDDLEWARE += [f"cloud.core.middleware.{name.rsplit('.', 1)[1]}ForAdmin" for name in ADMIN_MIDDLEWARE]
ROOT_URLCONF = "cloud.config.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "cloud.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "cloud" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {"default": database_settings(os.environ.get("DATABASE_URL", ""), STATE_DIR / "novella.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["cloud.identity.backends.DefaultDomainBackend"]
PASSWORD_HASHERS = ["cloud.identity.passwords.Argon2Hasher"]
SILENCED_SYSTEM_CHECKS = [
    "auth.E003", "auth.W004",  # a user's name is unique in its domain, which our backend knows
    "admin.E408", "admin.E409", "admin.E410",  # our middlewares wrap Django's, for /admin/ only
]
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "cloud.config.formats"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
LOGIN_REDIRECT_URL = "admin:index"
STATIC_ROOT = STATE_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = None
REST_FRAMEWORK = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
}
CELERY_RESULT_EXPIRES_DAYS = 7

# --- ours -----------------------------------------------------------------------------------------------------
TOKEN_LIFETIME_SECONDS = 4 * 3600
MAX_REQUEST_BODY_BYTES = 114_688
MAX_PAGE_SIZE = 1000
IMAGE_STORE = Path(os.environ.get("NOVELLA_IMAGE_STORE", STATE_DIR / "images"))
# A resize may stay on its host: a cloud of one host has no other.
ALLOW_RESIZE_TO_SAME_HOST = os.environ.get("NOVELLA_ALLOW_RESIZE_TO_SAME_HOST", "1") == "1"
# Disks on their way from one host to another; where there are several API processes they share it.
TRANSFER_STORE = Path(os.environ.get("NOVELLA_TRANSFER_STORE", STATE_DIR / "transfers"))
IMAGE_MAX_BYTES = int(os.environ.get("NOVELLA_IMAGE_MAX_BYTES", str(64 * 2**30)))
CPU_ALLOCATION_RATIO = float(os.environ.get("NOVELLA_CPU_ALLOCATION_RATIO", "4.0"))
RAM_ALLOCATION_RATIO = float(os.environ.get("NOVELLA_RAM_ALLOCATION_RATIO", "1.0"))
DISK_ALLOCATION_RATIO = float(os.environ.get("NOVELLA_DISK_ALLOCATION_RATIO", "1.0"))
HOST_RESERVED_MEMORY_MB = int(os.environ.get("NOVELLA_HOST_RESERVED_MEMORY_MB", "512"))
HOST_DOWN_AFTER_SECONDS = 60
# How long a deleted server is kept and can be restored; 0: it is deleted at once.
RECLAIM_INSTANCE_INTERVAL = int(os.environ.get("NOVELLA_RECLAIM_INSTANCE_INTERVAL", "0"))
# Numbers that VXLAN networks get, and networks outside that hosts are connected to, with the VLANs that are ours there.
VNI_RANGE = read_range(os.environ.get("NOVELLA_VNI_RANGE", "1:16777215"), 2**24 - 1)
PHYSICAL_NETWORKS = read_physical_networks(os.environ.get("NOVELLA_PHYSICAL_NETWORKS", ""))
# While hosts of the first release are brought up to date: believe those that were never enrolled without a signature.
ACCEPT_UNSIGNED = os.environ.get("NOVELLA_ACCEPT_UNSIGNED") == "1"
MAX_BUILD_ATTEMPTS = 3
MAX_CLAIM_CONFLICTS = 10
SCHEDULER_ALTERNATES = 2

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "cloud.core.logs.RequestIdFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("NOVELLA_LOG_LEVEL", "INFO")},
}
