"""Django app of the placement domain."""

from django.apps import AppConfig


class PlacementConfig(AppConfig):
    """The placement domain."""

    name = "cloud.placement"
    label = "placement"
