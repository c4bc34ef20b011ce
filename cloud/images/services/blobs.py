"""Where a host fetches an image's bytes: a signed link, bound to image and host, good for a while. No token travels."""

import hashlib
import hmac
import time
from urllib.parse import urlencode

from django.conf import settings

from cloud.images.models import Image


def signed_url(image: Image, host: str, lifetime_seconds: int) -> str:
    """Return the link under which `host` may fetch `image` for so long."""
    expires = int(time.time()) + lifetime_seconds
    query = urlencode({"host": host, "expires": expires, "signature": _signature(image.id, host, expires)})
    return f"{settings.API_URL}/image/blobs/{image.id}?{query}"


def is_valid(image_id: str, host: str, expires: str, signature: str) -> bool:
    """Tell whether a link was made by us and is still good."""
    if not (expires.isascii() and expires.isdigit()) or int(expires) < time.time():
        return False
    return hmac.compare_digest(_signature(image_id, host, int(expires)).encode(), signature.encode())


def _signature(image_id: str, host: str, expires: int) -> str:
    text = f"blob\n{image_id}\n{host}\n{expires}"
    return hmac.new(settings.ORDER_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
