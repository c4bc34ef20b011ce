"""Images, as compute showed them before there was an image service: until 2.35, their metadata until 2.38."""

from collections.abc import Callable
from typing import Any

from cloud.compute.api.image_views import brief, full
from cloud.compute.api.links import page_links
from cloud.compute.api.schema_parts import POSITIVE, closed, metadata, parameters
from cloud.compute.selectors.images import ImageFilter, list_images
from cloud.compute.services import image_metadata as service
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid, NotFound
from cloud.core.paging import read_limit
from cloud.core.times import read_time
from cloud.images.models import Image
from cloud.images.selectors import find, find_own
from cloud.images.services.images import delete_image

_READ, _CHANGE = "os_compute_api:images", "os_compute_api:images:change"
_LAST, _LAST_METADATA = "2.35", "2.38"
_LIST_QUERY = parameters(limit=POSITIVE)
_METADATA = closed({"metadata": metadata()}, ["metadata"])
_META = closed({"meta": metadata(minProperties=1, maxProperties=1)}, ["meta"])
_PROPERTY = "property-"


@endpoint(_READ, query=_LIST_QUERY, until=_LAST)
def index(request: ApiRequest) -> dict[str, Any]:
    """List images in brief."""
    return _listing(request, brief, "images")


@endpoint(_READ, query=_LIST_QUERY, until=_LAST)
def detail(request: ApiRequest) -> dict[str, Any]:
    """List images in full."""
    return _listing(request, full, "images/detail")


@endpoint(_READ, until=_LAST)
def show(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """Show an image."""
    return {"image": full(request, _find(request, image_id))}


@endpoint(_CHANGE, status=204, until=_LAST)
def delete(request: ApiRequest, image_id: str) -> None:
    """Remove an image."""
    delete_image(find_own(request.context, image_id))


@endpoint(_READ, until=_LAST_METADATA)
def metadata_index(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """List an image's metadata."""
    return {"metadata": _find(request, image_id).properties}


@endpoint(_CHANGE, body=_METADATA, until=_LAST_METADATA)
def metadata_create(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """Add or overwrite metadata."""
    return {"metadata": service.merge(request.context, image_id, request.body["metadata"])}


@endpoint(_CHANGE, body=_METADATA, until=_LAST_METADATA)
def metadata_replace(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """Put new metadata in place of the old."""
    return {"metadata": service.replace(request.context, image_id, request.body["metadata"])}


@endpoint(_READ, until=_LAST_METADATA)
def metadata_show(request: ApiRequest, image_id: str, key: str) -> dict[str, Any]:
    """Show one item."""
    properties = _find(request, image_id).properties
    if key not in properties:
        raise NotFound
    return {"meta": {key: properties[key]}}


@endpoint(_CHANGE, body=_META, until=_LAST_METADATA)
def metadata_update(request: ApiRequest, image_id: str, key: str) -> dict[str, Any]:
    """Add or overwrite one item."""
    item = request.body["meta"]
    if key not in item:
        raise Invalid("Request body and URI mismatch")
    service.merge(request.context, image_id, item)
    return {"meta": item}


@endpoint(_CHANGE, status=204, until=_LAST_METADATA)
def metadata_delete(request: ApiRequest, image_id: str, key: str) -> None:
    """Remove one item."""
    service.remove(request.context, image_id, key)


def _find(request: ApiRequest, image_id: str) -> Image:
    return find(request.context, image_id)


def _listing(request: ApiRequest, view: Callable[[ApiRequest, Image], dict[str, Any]], below: str) -> dict[str, Any]:
    limit = read_limit(request.query)
    found = list_images(request.context, _filter(request), limit, request.query.get("marker", ""))
    answer: dict[str, Any] = {"images": [view(request, image) for image in found]}
    if found and len(found) == limit:
        answer |= page_links(request, "images_links", found[-1].id, below)
    return answer


def _filter(request: ApiRequest) -> ImageFilter:
    query = request.query
    properties = {name.removeprefix(_PROPERTY): query[name] for name in query if name.startswith(_PROPERTY)}
    if "server" in query:
        properties["instance_uuid"] = query["server"].rsplit("/", 1)[-1]
    if "type" in query:
        properties["image_type"] = query["type"]
    return ImageFilter(
        name=query.get("name"),
        status=query["status"].lower() if "status" in query else None,
        changed_since=read_time(query["changes-since"]) if "changes-since" in query else None,
        min_ram=_least(request, "minRam"),
        min_disk=_least(request, "minDisk"),
        properties=properties,
    )


def _least(request: ApiRequest, name: str) -> int:
    text = request.query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Invalid(f"Invalid {name} filter [{text[:100]}]")
    return int(text)


ROUTES = [
    route("/images", GET=index),
    route("/images/detail", GET=detail),
    route("/images/<str:image_id>", GET=show, DELETE=delete),
    route("/images/<str:image_id>/metadata", GET=metadata_index, POST=metadata_create, PUT=metadata_replace),
    route("/images/<str:image_id>/metadata/<str:key>", GET=metadata_show, PUT=metadata_update, DELETE=metadata_delete),
]
