"""Changing an image's properties through compute's old image API."""

from collections.abc import Callable, Mapping

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.core.errors import Forbidden, Invalid, NotFound
from cloud.identity.services import quotas
from cloud.images.api.image_patch import refuse_unwritable
from cloud.images.api.image_schemas import WRITABLE
from cloud.images.errors import ImageNotFound
from cloud.images.models import Image
from cloud.images.selectors import find_own
from cloud.images.services.images import update_image

Properties = dict[str, str]


def merge(context: RequestContext, image_id: str, changes: Mapping[str, str]) -> Properties:
    """Add or overwrite properties; return all of them. Raises ImageNotFound, Invalid, Forbidden."""
    return _change(context, image_id, lambda properties: {**properties, **changes}, changes)


def replace(context: RequestContext, image_id: str, properties: Mapping[str, str]) -> Properties:
    """Put new properties in place of the old. Raises ImageNotFound, Invalid, Forbidden."""
    return _change(context, image_id, lambda _: dict(properties), properties)


def remove(context: RequestContext, image_id: str, key: str) -> None:
    """Remove a property. Raises ImageNotFound, NotFound."""

    def without(properties: Properties) -> Properties:
        if key not in properties:
            raise NotFound("Invalid metadata key")
        return {name: value for name, value in properties.items() if name != key}

    _change(context, image_id, without, {})


def _change(
    context: RequestContext, image_id: str, change: Callable[[Properties], Properties], named: Mapping[str, str]
) -> Properties:
    for name in named:
        refuse_unwritable(name)
        if name in WRITABLE:
            raise Invalid(f"{name} is an attribute of the image, not of its metadata.")
    with transaction.atomic():
        own = find_own(context, image_id)
        image = Image.objects.select_for_update().filter(pk=own.pk).first()
        if image is None:
            raise ImageNotFound(image_id=image_id)
        image.properties = change(image.properties)
        _check_quota(context, image.properties)
        update_image(context, image, None)
    return image.properties


def _check_quota(context: RequestContext, properties: Properties) -> None:
    limit = quotas.limits(context.project_id, ["metadata_items"])["metadata_items"]
    if limit != quotas.UNLIMITED and len(properties) > limit:
        raise Forbidden("Image metadata limit exceeded")
