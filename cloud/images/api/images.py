"""Images: create, list, show, update, delete.

Source: https://docs.openstack.org/api-ref/image/v2/
"""

from typing import Any
from urllib.parse import urlencode

import orjson

from cloud.core.endpoints import ApiRequest, Reply, endpoint
from cloud.core.errors import Invalid, MalformedBody, TooLarge, UnsupportedMedia
from cloud.core.paging import read_limit
from cloud.core.validation import check_body
from cloud.images import selectors
from cloud.images.api.image_filters import MEMBER_STATUSES, apply_filters, one_of, page, read_sort
from cloud.images.api.image_patch import apply_patch, refuse_unwritable
from cloud.images.api.image_schemas import CREATE, PATCH, VISIBILITIES, WRITABLE
from cloud.images.api.image_views import image_view
from cloud.images.models import Image
from cloud.images.services import images

DEFAULT_PAGE = 25
PATCH_TYPES = frozenset({
    "application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch",
})
MAX_PATCH_BYTES = 114_688


def _tags(image: Image) -> list[str]:
    return list(image.tag_rows.values_list("value", flat=True))


@endpoint("image:get_images")
def index(request: ApiRequest) -> dict[str, Any]:
    """List images."""
    query = request.query
    limit = read_limit(query) if "limit" in query else DEFAULT_PAGE
    sort = read_sort(query)
    visibility = one_of(query, "visibility", "", (*VISIBILITIES, "all"))
    rows = selectors.listed(request.context, visibility, one_of(query, "member_status", "accepted", MEMBER_STATUSES))
    marker = None
    if query.get("marker"):
        marker = selectors.visible(request.context).filter(id=query["marker"]).first()
        if marker is None:
            raise Invalid(f"Marker {query['marker'][:64]} could not be found.")
    rows = page(apply_filters(rows, query), sort, marker)
    found = list(rows.prefetch_related("tag_rows")[:limit])
    pairs = [(key, value) for key, values in query.lists() for value in values if key != "marker"]
    body: dict[str, Any] = {
        "images": [image_view(image, (tag.value for tag in image.tag_rows.all())) for image in found],
        "first": "/v2/images" + (f"?{urlencode(pairs)}" if pairs else ""),
        "schema": "/v2/schemas/images",
    }
    if found and len(found) == limit:
        body["next"] = f"/v2/images?{urlencode([*pairs, ('marker', found[-1].id)])}"
    return body


@endpoint("image:add_image", status=201)
def create(request: ApiRequest) -> Reply:
    """Make an image without data."""
    body = request.body
    for name in body if isinstance(body, dict) else ():
        refuse_unwritable(name)
    check_body(CREATE, body)
    columns = {name: value for name, value in body.items() if name in WRITABLE and name != "tags"}
    properties = {name: value for name, value in body.items() if name not in WRITABLE}
    tags = list(dict.fromkeys(body.get("tags", [])))
    image = images.create_image(request.context, columns, properties, tags)
    return Reply(image_view(image, tags), headers={
        "Location": f"{request.url}/v2/images/{image.id}", "OpenStack-image-import-methods": "",
    })


@endpoint("image:get_image")
def show(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """Show an image."""
    image = selectors.find(request.context, image_id)
    return image_view(image, _tags(image))


@endpoint("image:modify_image", reads_stream=True)
def update(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """Change an image by JSON patch."""
    image = selectors.find_own(request.context, image_id)
    changes = _read_patch(request)
    tags = apply_patch(image, _tags(image), changes)
    images.update_image(request.context, image, tags)
    return image_view(image, tags)


def _read_patch(request: ApiRequest) -> list[dict[str, Any]]:
    django = request.django
    if django.content_type not in PATCH_TYPES:
        raise UnsupportedMedia("Update an image with the content type application/openstack-images-v2.1-json-patch.")
    if int(django.META.get("CONTENT_LENGTH") or 0) > MAX_PATCH_BYTES:
        raise TooLarge
    try:
        changes = orjson.loads(django.body)
    except orjson.JSONDecodeError:
        raise MalformedBody from None
    check_body(PATCH, changes)
    return changes


@endpoint("image:delete_image", status=204)
def delete(request: ApiRequest, image_id: str) -> None:
    """Delete an image and its data."""
    images.delete_image(selectors.find_own(request.context, image_id))


@endpoint("image:deactivate", status=204)
def deactivate(request: ApiRequest, image_id: str) -> None:
    """Keep an image's data from being read."""
    images.set_active(selectors.find_own(request.context, image_id), is_active=False)


@endpoint("image:reactivate", status=204)
def reactivate(request: ApiRequest, image_id: str) -> None:
    """Let an image's data be read again."""
    images.set_active(selectors.find_own(request.context, image_id), is_active=True)


@endpoint("image:get_image")
def tasks(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """List what is done to an image in the background: nothing is, but clients that wait for an image ask."""
    selectors.find(request.context, image_id)
    return {"tasks": []}
