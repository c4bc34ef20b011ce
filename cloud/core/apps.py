"""Django app of the core, with the tables of the machinery."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The core."""

    name = "cloud.core"
    label = "core"
    verbose_name = "Machinery"
