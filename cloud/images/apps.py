"""Django app of the images domain."""

from django.apps import AppConfig


class ImagesConfig(AppConfig):
    """The images domain."""

    name = "cloud.images"
    label = "images"
