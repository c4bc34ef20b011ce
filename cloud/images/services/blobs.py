"""Where a host fetches or leaves the bytes of an image."""

from cloud.core.host_links import Use, link
from cloud.images.models import Image


def signed_url(image: Image, host: str, lifetime_seconds: int) -> str:
    """Return the link under which `host` may fetch `image` for so long."""
    return link(f"image/blobs/{image.id}", Use.FETCH, host, lifetime_seconds)


def upload_url(image: Image, host: str, lifetime_seconds: int) -> str:
    """Return the link under which `host` may put the data of a queued image for so long."""
    return link(f"image/blobs/{image.id}", Use.LEAVE, host, lifetime_seconds)
