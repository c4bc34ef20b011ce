"""Links for hosts: signed, bound to path, host and use, good for a while. No token travels."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlencode

from django.conf import settings

from cloud.core.errors import Forbidden


class Use(StrEnum):
    """What a link lets its host do."""

    FETCH = "fetch"
    LEAVE = "leave"


def link(path: str, use: Use, host: str, lifetime_seconds: int) -> str:
    """Return a link that lets `host` use what lies under a path of ours, for so long from now.

    Args:
        path: below the root of all APIs, without a slash at its beginning, e.g. `image/blobs/...`.
        use: what for.
        host: who may use it.
        lifetime_seconds: how long.
    """
    expires = int(time.time()) + lifetime_seconds
    query = urlencode({"host": host, "expires": expires, "signature": _signature(path, use, host, expires)})
    return f"{settings.API_URL}/{path}?{query}"


def check(path: str, use: Use, query: Mapping[str, str]) -> str:
    """Return the host that a link was made for. Raises Forbidden: it was not made by us for this, or is too old."""
    host, expires, signature = (query.get(name, "") for name in ("host", "expires", "signature"))
    is_good = (
        expires.isascii() and expires.isdigit() and int(expires) >= time.time()
        and hmac.compare_digest(_signature(path, use, host, int(expires)).encode(), signature.encode())
    )  # fmt: skip
    if not is_good:
        raise Forbidden("The link is not valid, or not any more.")
    return host


def _signature(path: str, use: Use, host: str, expires: int) -> str:
    text = f"{use}\n{path}\n{host}\n{expires}"
    return hmac.new(settings.ORDER_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
