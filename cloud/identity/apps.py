"""Django app of the identity domain."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """The identity domain."""

    name = "cloud.identity"
    label = "identity"

    def ready(self) -> None:
        from cloud.core.context import register_authenticator
        from cloud.identity.api import policies  # noqa: F401
        from cloud.identity.services.contexts import authenticator

        register_authenticator(authenticator)
