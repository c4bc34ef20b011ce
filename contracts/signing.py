"""Signatures of what the control plane and a host say to each other: HMAC-SHA256 by the host's key, over the wire form.

What is signed is the message as it travels, without its signature and with its keys in order: a receiver of another
release checks fields that it does not know as well. The name of the task is part of it, so that one message is never
taken for another, and so is who speaks: an order is no outcome.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

SIGNATURE = "signature"
# Who speaks: the control plane to a host, or a host to the control plane.
ORDER = b"novella order\n"
WORD = b"novella word\n"

_encoder = msgspec.json.Encoder(order="deterministic")


def sign(key: bytes, speaker: bytes, name: str, wire: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message with its signature."""
    return {**wire, SIGNATURE: _digest(key, speaker, name, wire)}


def is_signed(key: bytes, speaker: bytes, name: str, wire: Mapping[str, Any]) -> bool:
    """Tell whether the message was signed with this key as what it claims to be."""
    given = wire.get(SIGNATURE)
    if not isinstance(given, str) or not given.isascii():
        return False
    return hmac.compare_digest(given, _digest(key, speaker, name, wire))


def _digest(key: bytes, speaker: bytes, name: str, wire: Mapping[str, Any]) -> str:
    unsigned = {field: value for field, value in wire.items() if field != SIGNATURE}
    text = b"".join((speaker, name.encode(), b"\n", _encoder.encode(unsigned)))
    return hmac.digest(key, text, hashlib.sha256).hex()
