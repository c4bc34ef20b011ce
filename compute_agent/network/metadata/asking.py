"""Asking the API on a guest's behalf. This host's word is signed; who answers is part of the cloud."""

import http.client
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from compute_agent.network.metadata.passwords import Kept
from contracts.credentials import HOST_KEY, read_credential
from contracts.guests import KEEP_PASSWORD, PASSWORD_PATH, KeepPassword, PasswordKept
from contracts.signing import WORD, sign

_TIMEOUT_SECONDS = 10.0
_LARGEST_BYTES = 65_536
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def keep_password(instance_uuid: str, password: str) -> Kept:
    """Have a guest's password kept, or ask for it; see contracts.guests.

    Raises:
        OSError: nobody answered, or the answer is none.
    """
    word = KeepPassword(host=_host(), instance_uuid=instance_uuid, password=password)
    body = msgspec.json.encode(sign(_key(), WORD, KEEP_PASSWORD, word.to_wire()))
    url = f"{os.environ.get('NOVELLA_API_URL', 'http://127.0.0.1:8000')}/{PASSWORD_PATH}"
    if not url.startswith(("http://", "https://")):
        raise OSError("NOVELLA_API_URL is no URL of HTTP")
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - checked
    try:
        with _opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            kept = msgspec.json.decode(response.read(_LARGEST_BYTES), type=PasswordKept)
    except urllib.error.HTTPError as exc:
        exc.close()
        raise OSError(f"the API refused: {exc}") from exc
    except (http.client.HTTPException, msgspec.DecodeError) as exc:
        raise OSError(f"the API's answer cannot be read: {exc}") from exc
    return Kept(kept.password, kept.is_new)


def _host() -> str:
    return os.environ.get("NOVELLA_HOST") or socket.gethostname()


def _key() -> bytes:
    """Return the host's key as it is now: it is renewed while processes run."""
    path = os.environ.get("NOVELLA_CREDENTIAL_FILE")
    try:
        lines = read_credential(Path(path).read_text()) if path else dict(os.environ)
        return bytes.fromhex(lines[HOST_KEY])
    except (KeyError, ValueError) as exc:
        raise OSError(f"this host has no credential: {exc}") from exc
