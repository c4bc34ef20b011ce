"""Django app of the core: no models of its own."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The core."""

    name = "cloud.core"
    label = "core"
