"""Fetch an image into the host's cache."""

from compute_agent.host import Host
from contracts.compute import ImagePrepared, PrepareImage


def prepare_image(host: Host, order: PrepareImage) -> ImagePrepared:
    """Have the image in the cache, checked. It belongs to no instance, so no instance is locked for it."""
    host.storage.prepare_image(order.image)
    return ImagePrepared(image_id=order.image.id)
