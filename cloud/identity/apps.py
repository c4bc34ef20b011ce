"""Django app of the identity domain."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """The identity domain."""

    name = "cloud.identity"
    label = "identity"
