"""Django app of the compute domain."""

from django.apps import AppConfig


class ComputeConfig(AppConfig):
    """The compute domain."""

    name = "cloud.compute"
    label = "compute"
