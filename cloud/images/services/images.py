"""Making, changing and deleting the records of images."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from cloud.core.context import RequestContext
from cloud.core.errors import Conflict, Forbidden, Invalid
from cloud.images.errors import ImageProtected
from cloud.images.models import Image, ImageTag
from cloud.images.services import store

MAX_PROPERTIES = 128
MAX_TAGS = 128


def create_image(
    context: RequestContext, columns: dict[str, Any], properties: dict[str, str], tags: list[str]
) -> Image:
    """Make a queued image.

    Args:
        context: who makes it; owner unless an admin names another in `columns`.
        columns: values of the model's columns.
        properties: the client's own.
        tags: without repetitions.

    Raises:
        Conflict: the id is taken. Forbidden: public, or for another owner, and not an admin.
    """
    owner = columns.pop("owner", None) or context.project_id
    _check_limits(properties, tags)
    if not context.is_admin and owner != context.project_id:
        raise Forbidden("You are not permitted to create images owned by another project.")
    _check_visibility(context, columns.get("visibility", "shared"))
    try:
        with transaction.atomic():
            image = Image.objects.create(owner=owner, properties=properties, **columns)
            ImageTag.objects.bulk_create(ImageTag(image=image, value=tag) for tag in tags)
    except IntegrityError as error:
        raise Conflict(f"Image ID {columns.get('id')} already exists!") from error
    return image


def update_image(context: RequestContext, image: Image, tags: list[str] | None) -> None:
    """Save a changed image.

    Args:
        context: who changes it.
        image: with its new values.
        tags: the new set, or None to leave them.

    Raises:
        Forbidden: made public, or given to another owner, and not by an admin.
    """
    before = Image.objects.get(pk=image.pk)
    if image.visibility != before.visibility:
        _check_visibility(context, image.visibility)
    if image.owner != before.owner and not context.is_admin:
        raise Forbidden("Only admins may give an image to another project.")
    _check_limits(image.properties, tags or [])
    if image.status == "active" and (image.disk_format, image.container_format) != (
        before.disk_format, before.container_format
    ):
        raise Forbidden("Attribute 'disk_format' or 'container_format' can be changed only while the image is queued.")
    with transaction.atomic():
        image.save()
        if tags is not None:
            ImageTag.objects.filter(image=image).delete()
            ImageTag.objects.bulk_create(ImageTag(image=image, value=tag) for tag in tags)


def delete_image(image: Image) -> None:
    """Remove an image and its bytes.

    Raises:
        ImageProtected
    """
    if image.protected:
        raise ImageProtected(image_id=image.id)
    image.delete()
    store.drop(image.id)


def set_active(image: Image, *, is_active: bool) -> None:
    """Deactivate an active image, or activate a deactivated one; done already is a success.

    Raises:
        Forbidden: the image has no data.
    """
    wanted, other = ("active", "deactivated") if is_active else ("deactivated", "active")
    if image.status not in (wanted, other):
        raise Forbidden(f"Image status transition from {image.status} to {wanted} is not allowed.")
    Image.objects.filter(pk=image.pk, status=other).update(status=wanted, updated_at=timezone.now())


def _check_limits(properties: dict[str, str], tags: list[str]) -> None:
    if len(properties) > MAX_PROPERTIES:
        raise Invalid(f"The limit of {MAX_PROPERTIES} image properties was exceeded: {len(properties)}.")
    if len(tags) > MAX_TAGS:
        raise Invalid(f"The limit of {MAX_TAGS} image tags was exceeded: {len(tags)}.")


def _check_visibility(context: RequestContext, visibility: str) -> None:
    if visibility == "public" and not context.is_admin:
        raise Forbidden("You are not authorized to complete publicize_image action.")
