"""WSGI entry point of the API."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloud.config.settings")

application = get_wsgi_application()
# Django would load them at the first request, in every process anew; here they are shared by all.
import_module(settings.ROOT_URLCONF)
