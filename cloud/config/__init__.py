"""Settings, routes and entry points of the Django project."""

from cloud.config.celery import app as celery_app

__all__ = ["celery_app"]
