"""Hashing of passwords and secrets: Argon2id at the cost that OWASP recommends, and checks that take equally long.

The cost is chosen for many threads at once: 19 MiB each instead of Django's 100.
Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

from functools import cache

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

MAX_LENGTH = 4096


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


def hashed(secret: str) -> str:
    """Return the hash to keep."""
    return make_password(secret)


def matches(secret: str, kept: str | None) -> bool:
    """Tell whether a secret fits a hash. Where there is no hash it takes as long, and the answer is no."""
    is_equal = check_password(secret[:MAX_LENGTH], kept or _nobodys())
    return is_equal and bool(kept) and len(secret) <= MAX_LENGTH


@cache
def _nobodys() -> str:
    return make_password("nobody's password")
