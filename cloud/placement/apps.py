"""Django app of the placement domain."""

from django.apps import AppConfig


class PlacementConfig(AppConfig):
    """The placement domain."""

    name = "cloud.placement"
    label = "placement"

    def ready(self) -> None:
        from cloud.placement.api import policies  # noqa: F401  # registers the rows
