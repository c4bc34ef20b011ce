"""Passwords that a server's answer carries."""

import secrets
import string

# What is not taken for something else when it is read aloud.
_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
_LENGTH = 12


def new_password() -> str:
    """Return a random password."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
