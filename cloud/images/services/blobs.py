"""Where a host fetches or leaves bytes: signed links, bound to path, host and use, for a while. No token travels."""

import hashlib
import hmac
import time
from enum import StrEnum
from urllib.parse import urlencode

from django.conf import settings

from cloud.images.models import Image


class Use(StrEnum):
    """What a link lets its host do."""

    FETCH = "fetch"
    LEAVE = "leave"


def signed_url(image: Image, host: str, lifetime_seconds: int) -> str:
    """Return the link under which `host` may fetch `image` for so long."""
    return link(f"blobs/{image.id}", Use.FETCH, host, lifetime_seconds)


def upload_url(image: Image, host: str, lifetime_seconds: int) -> str:
    """Return the link under which `host` may put the data of a queued image for so long."""
    return link(f"blobs/{image.id}", Use.LEAVE, host, lifetime_seconds)


def link(path: str, use: Use, host: str, lifetime_seconds: int) -> str:
    """Return a link that lets `host` use what lies under a path below the Image API, for so long from now."""
    expires = int(time.time()) + lifetime_seconds
    query = urlencode({"host": host, "expires": expires, "signature": _signature(path, use, host, expires)})
    return f"{settings.API_URL}/image/{path}?{query}"


def is_valid(path: str, use: Use, host: str, expires: str, signature: str) -> bool:
    """Tell whether a link was made by us for this and is still good."""
    if not (expires.isascii() and expires.isdigit()) or int(expires) < time.time():
        return False
    return hmac.compare_digest(_signature(path, use, host, int(expires)).encode(), signature.encode())


def _signature(path: str, use: Use, host: str, expires: int) -> str:
    text = f"{use}\n{path}\n{host}\n{expires}"
    return hmac.new(settings.ORDER_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
