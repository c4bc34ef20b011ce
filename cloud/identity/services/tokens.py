"""Tokens: sealed claims that carry no rights themselves. Anybody may hold one, nobody can read or make one.

Sealed by Fernet (AES-CBC and HMAC-SHA256) with a key derived from the installation's token key.
"""

import base64
import secrets
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import timezone

_MAX_LENGTH = 4096


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """What a token says.

    Attributes:
        scope_kind, scope_id: see `cloud.identity.selectors.grants.Scope`.
        generation: of the user and the scope when it was issued.
        issued, expires: microseconds since 1970.
        audit_ids: its own, and that of the first token in its chain.
        credential_id: of the application credential, or empty.
    """

    user_id: str
    methods: tuple[str, ...]
    scope_kind: str
    scope_id: str
    generation: int
    issued: int
    expires: int
    audit_ids: tuple[str, ...]
    credential_id: str = ""

    @property
    def issued_at(self) -> datetime:
        """When it was made."""
        return _moment(self.issued)

    @property
    def expires_at(self) -> datetime:
        """When it ends by itself."""
        return _moment(self.expires)


def seal(claims: Claims) -> str:
    """Return the token of claims."""
    return _fernet(settings.TOKEN_KEY).encrypt(msgspec.msgpack.encode(claims)).decode().rstrip("=")


def unseal(token: str) -> Claims | None:
    """Return the claims of a token that we made and that has not expired, else None."""
    if not token or len(token) > _MAX_LENGTH or not token.isascii():
        return None
    try:
        raw = _fernet(settings.TOKEN_KEY).decrypt(token + "=" * (-len(token) % 4))
        claims = msgspec.msgpack.decode(raw, type=Claims)
    except (InvalidToken, msgspec.MsgspecError):
        return None
    return claims if claims.expires > microseconds(timezone.now()) else None


def new_audit_id() -> str:
    """Return a name for a token under which logs and revocations may speak of it."""
    return secrets.token_urlsafe(16)


def microseconds(moment: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _moment(number: int) -> datetime:
    return datetime.fromtimestamp(number // 1_000_000, UTC).replace(microsecond=number % 1_000_000)


@lru_cache(maxsize=4)
def _fernet(key: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"novella tokens v1").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
