"""What a server is made from: the flavor, image and key that a request names, checked against one another."""

import math
from dataclasses import dataclass
from typing import Any

from cloud.compute.errors import FlavorNotFound, FlavorTooSmall, UnknownFlavor, UnknownImage, UnknownKeyPair
from cloud.compute.models import Flavor, KeyPair
from cloud.compute.selectors.flavors import get_flavor
from cloud.core import policy
from cloud.core.context import RequestContext
from cloud.core.errors import Forbidden, Invalid
from cloud.images.errors import ImageNotFound
from cloud.images.models import Image
from cloud.images.selectors import usable_image

GIB = 1024**3
_NEEDS_IMAGE = (
    "Block devices other than the image's disk are not supported: name an image with imageRef, and no volumes."
)


def flavor(context: RequestContext, flavor_id: str) -> Flavor:
    """Return the flavor that a body names. Raises UnknownFlavor."""
    try:
        found = get_flavor(context, flavor_id)
    except FlavorNotFound:
        raise UnknownFlavor(flavor_id=flavor_id) from None
    if found.is_disabled:
        raise UnknownFlavor(flavor_id=flavor_id)
    return found


@dataclass(frozen=True)
class Size:
    """What an image must fit into."""

    memory_mb: int
    disk_gb: int


def image(context: RequestContext, image_id: str, size: Size) -> Image:
    """Return the image that a body names, which a server of that size must be able to hold.

    Raises:
        UnknownImage, FlavorTooSmall, Invalid: it is not there, too large or not ready.
        Forbidden: a flavor without a disk bounds no image.
    """
    if not image_id:
        raise Invalid(_NEEDS_IMAGE)
    try:
        found = usable_image(context, image_id)
    except ImageNotFound:
        raise UnknownImage from None
    if found.status != "active":
        raise Invalid(f"Image {image_id} is not active.")
    check_size(context, found, size)
    return found


def check_size(context: RequestContext, image: Image, size: Size) -> None:
    """Refuse an image that a server of that size cannot hold. Raises FlavorTooSmall, Invalid, Forbidden."""
    if image.min_ram > size.memory_mb:
        raise FlavorTooSmall(resource="memory")
    if size.disk_gb == 0:
        if not policy.allows(context, "os_compute_api:servers:create:zero_disk_flavor"):
            raise Forbidden("Only volume-backed servers are allowed for flavors with zero disk.")
        return
    disk, needed = size.disk_gb * GIB, image.virtual_size or image.size or 0
    if needed > disk:
        raise Invalid(
            "Flavor's disk is too small for requested image. "
            f"Flavor disk is {disk} bytes, image is {needed} bytes."
        )
    check_minimum(image, size)


def check_minimum(image: Image, size: Size) -> None:
    """Refuse less memory or disk than an image says it needs. Raises FlavorTooSmall, Invalid."""
    if image.min_ram > size.memory_mb:
        raise FlavorTooSmall(resource="memory")
    if 0 < size.disk_gb < image.min_disk:
        raise Invalid(
            "Flavor's disk is smaller than the minimum size specified in image metadata. "
            f"Flavor disk is {size.disk_gb * GIB} bytes, minimum size is {image.min_disk * GIB} bytes."
        )


def key(context: RequestContext, name: str) -> str:
    """Return the public key of that name; empty for no name. Raises UnknownKeyPair."""
    if not name:
        return ""
    found = KeyPair.objects.filter(user_id=context.user_id, name=name).values_list("public_key", flat=True).first()
    if found is None:
        raise UnknownKeyPair
    return found


def flavor_copy(flavor: Flavor) -> dict[str, Any]:
    """Return what an instance keeps of its flavor."""
    return {
        "flavorid": flavor.flavorid, "name": flavor.name, "vcpus": flavor.vcpus, "memory_mb": flavor.memory_mb,
        "disk_gb": flavor.disk_gb, "ephemeral_gb": flavor.ephemeral_gb, "swap_mb": flavor.swap_mb,
        "extra_specs": flavor.extra_specs,
    }  # fmt: skip


def disk_gb(flavor: Flavor, image: Image) -> int:
    """Return how much disk a server takes of its host: root, ephemeral and swap, in whole GiB."""
    root = flavor.disk_gb or math.ceil((image.virtual_size or image.size or 0) / GIB)
    return root + flavor.ephemeral_gb + math.ceil(flavor.swap_mb / 1024)
