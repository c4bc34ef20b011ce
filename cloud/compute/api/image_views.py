"""Images as clients of compute's old image API see them."""

from typing import Any

from cloud.compute.api.links import links
from cloud.core.endpoints import ApiRequest
from cloud.core.times import seconds_z
from cloud.images.models import Image

# What the image service calls it, and what compute called it; and how far along it is.
STATUSES = {
    "active": "ACTIVE", "queued": "SAVING", "saving": "SAVING", "deleted": "DELETED", "pending_delete": "DELETED",
    "killed": "ERROR",
}  # fmt: skip
_PROGRESS = {"queued": 25, "saving": 50, "active": 100}
_TRUE = ("1", "t", "true", "on", "y", "yes")


def brief(request: ApiRequest, image: Image) -> dict[str, Any]:
    """Return the short view."""
    alternate = {
        "rel": "alternate",
        "type": "application/vnd.openstack.image",
        "href": f"{request.url.rsplit('/', 1)[0]}/image/images/{image.id}",
    }
    return {"id": image.id, "name": image.name, "links": [*links(request, "images", image.id), alternate]}


def full(request: ApiRequest, image: Image) -> dict[str, Any]:
    """Return the whole view."""
    properties = image.properties
    view = brief(request, image) | {
        "minRam": image.min_ram,
        "minDisk": image.min_disk,
        "metadata": properties,
        "created": seconds_z(image.created_at),
        "updated": seconds_z(image.updated_at),
        "status": STATUSES.get(image.status, "UNKNOWN"),
        "progress": _PROGRESS.get(image.status, 0),
        "OS-EXT-IMG-SIZE:size": image.size or 0,
    }
    server_id = properties.get("instance_uuid")
    if server_id:
        view["server"] = {"id": server_id, "links": links(request, "servers", server_id)}
    if "auto_disk_config" in properties:
        is_auto = properties["auto_disk_config"].strip().lower() in _TRUE
        view["OS-DCF:diskConfig"] = "AUTO" if is_auto else "MANUAL"
    return view
