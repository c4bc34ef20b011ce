"""What a host's credential consists of, derived anew by every process of the control plane that needs it."""

import hashlib
import hmac

from django.conf import settings

_USER = "novella-host-"


def key(name: str, salt: str) -> bytes:
    """Return what the orders and words of a credential are signed with."""
    return _derived("host key", name, salt)


def redis_password(name: str, salt: str) -> str:
    """Return the password of its Redis user."""
    return _derived("host redis password", name, salt).hex()


def redis_user(name: str) -> str:
    """Return the name of its Redis user."""
    return f"{_USER}{name}"


def credential_name(user: str) -> str:
    """Return the credential of a Redis user; empty for a user that is no host's."""
    return user.removeprefix(_USER) if user.startswith(_USER) else ""


def _derived(purpose: str, name: str, salt: str) -> bytes:
    text = f"{purpose}\n{name}\n{salt}"
    return hmac.digest(settings.ORDER_KEY.encode(), text.encode(), hashlib.sha256)
