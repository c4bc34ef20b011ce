"""WSGI entry point of the API."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloud.config.settings")

application = get_wsgi_application()
