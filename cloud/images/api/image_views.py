"""How an image and a member look in an answer."""

from collections.abc import Iterable
from typing import Any

from cloud.core.times import seconds_z
from cloud.images.models import Image, ImageMember

_PLAIN = (
    "id", "name", "owner", "status", "visibility", "disk_format", "container_format", "size", "virtual_size",
    "min_disk", "min_ram", "protected", "os_hidden", "checksum", "os_hash_algo", "os_hash_value",
)


def image_view(image: Image, tags: Iterable[str]) -> dict[str, Any]:
    """Return an image; the client's own properties stand beside the standard ones."""
    view: dict[str, Any] = dict(image.properties)
    view.update({name: getattr(image, name) for name in _PLAIN})
    view.update(
        created_at=seconds_z(image.created_at),
        updated_at=seconds_z(image.updated_at),
        tags=sorted(tags),
        self=f"/v2/images/{image.id}",
        file=f"/v2/images/{image.id}/file",
        schema="/v2/schemas/image",
    )
    return view


def member_view(member: ImageMember) -> dict[str, Any]:
    """Return a member."""
    return {
        "image_id": member.image.id,
        "member_id": member.member,
        "status": member.status,
        "created_at": seconds_z(member.created_at),
        "updated_at": seconds_z(member.updated_at),
        "schema": "/v2/schemas/member",
    }
