"""What operators hear of hosts' credentials."""

from cloud.core.errors import Conflict, Invalid, NotFound


class BadCredential(Invalid):
    """This cannot be a host's name."""


class CredentialExists(Conflict):
    """{name} has a credential already; --renew makes another and ends this one."""


class CredentialNotFound(NotFound):
    """No host is enrolled as {name}."""
