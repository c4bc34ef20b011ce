"""Which flavors would have fitted where one did not: what a person asks next after "no valid host"."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cloud.compute.models import Flavor
from cloud.compute.selectors.flavors import usable
from cloud.compute.services import boot_choices
from cloud.compute.services.server_placement import required_traits
from cloud.core.context import RequestContext
from cloud.core.errors import CloudError
from cloud.images.models import Image
from contracts.scheduling import Room

_MOST = 5
_LOOKED_AT = 1_000


@dataclass(frozen=True)
class Wish:
    """What a server was to be, beside its flavor.

    Attributes:
        traits: those that the room is known to have, because they were asked for.
        image: None where it is gone.
        least_disk_gb: a server never shrinks its disk.
    """

    traits: Collection[str] = ()
    image: Image | None = None
    least_disk_gb: int = 0


def fitting(context: RequestContext, room: Sequence[Room], wish: Wish) -> list[Flavor]:
    """Return the largest of the flavors for which there was room, a few, the one with the most memory first.

    Args:
        context: of whoever would ask for the flavor: others' are not among them.
        room: what was free.
        wish: what else the server was to be.
    """
    if not room:
        return []
    rows = usable(context).filter(
        is_disabled=False, disk_gb__gte=wish.least_disk_gb,
        vcpus__lte=max(one.vcpus for one in room), memory_mb__lte=max(one.memory_mb for one in room),
    )  # fmt: skip
    ordered = rows.order_by("-memory_mb", "-vcpus", "-disk_gb", "flavorid")[:_LOOKED_AT]
    found = (one for one in ordered if _fits(context, one, room, wish))
    return [flavor for flavor, _ in zip(found, range(_MOST), strict=False)]


def _fits(context: RequestContext, flavor: Flavor, room: Sequence[Room], wish: Wish) -> bool:
    if not set(required_traits(flavor.extra_specs)) <= set(wish.traits):
        return False
    if wish.image is not None:
        try:
            boot_choices.check_size(context, wish.image, boot_choices.Size(flavor.memory_mb, flavor.disk_gb))
        except CloudError:
            return False
    disk_gb = boot_choices.disk_gb(flavor, wish.image or Image(size=0))
    return any(
        flavor.vcpus <= one.vcpus and flavor.memory_mb <= one.memory_mb and disk_gb <= one.disk_gb for one in room
    )
