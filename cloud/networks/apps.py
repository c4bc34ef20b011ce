"""Django app of the networks domain."""

from django.apps import AppConfig


class NetworksConfig(AppConfig):
    """The networks domain."""

    name = "cloud.networks"
    label = "networks"

    def ready(self) -> None:
        from cloud.networks.api import policies  # noqa: F401  # registers the rows
