"""Django app of the images domain."""

from django.apps import AppConfig


class ImagesConfig(AppConfig):
    """The images domain."""

    name = "cloud.images"
    label = "images"

    def ready(self) -> None:
        import cloud.images.api.policies  # noqa: F401
