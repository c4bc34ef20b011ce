"""Django app of the conductor domain."""

from django.apps import AppConfig


class ConductorConfig(AppConfig):
    """The conductor domain."""

    name = "cloud.conductor"
    label = "conductor"
