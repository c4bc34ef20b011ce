"""Django app of the conductor domain."""

from django.apps import AppConfig


class ConductorConfig(AppConfig):
    """The conductor domain."""

    name = "cloud.conductor"
    label = "conductor"

    def ready(self) -> None:
        from cloud.conductor import launchers, move_launchers  # noqa: F401  importing it registers the workflows
