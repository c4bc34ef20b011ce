"""Django app of the networks domain."""

from django.apps import AppConfig


class NetworksConfig(AppConfig):
    """The networks domain."""

    name = "cloud.networks"
    label = "networks"
