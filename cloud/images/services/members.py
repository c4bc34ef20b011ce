"""Sharing an image with projects, which then accept or reject it."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from cloud.core.context import RequestContext
from cloud.core.errors import Conflict, Forbidden, NotFound
from cloud.images.errors import NotShareable
from cloud.images.models import Image, ImageMember


def add(image: Image, project_id: str) -> ImageMember:
    """Share an image with a project. Raises NotShareable, Conflict where it is shared already."""
    if image.visibility != "shared":
        raise NotShareable(visibility=image.visibility)
    try:
        with transaction.atomic():
            return ImageMember.objects.create(image=image, member=project_id)
    except IntegrityError as error:
        raise Conflict(f"Image {image.id} is already shared with {project_id}.") from error


def of_image(context: RequestContext, image: Image) -> list[ImageMember]:
    """Return the members: all for the owner and admins, for others only themselves. Raises NotShareable."""
    if image.visibility != "shared":
        raise NotShareable(visibility=image.visibility)
    rows = ImageMember.objects.filter(image=image).order_by("id")
    if not (context.is_admin or image.owner == context.project_id):
        rows = rows.filter(member=context.project_id)
    return list(rows)


def find(context: RequestContext, image: Image, project_id: str) -> ImageMember:
    """Return one member. Raises NotFound."""
    for member in of_image(context, image):
        if member.member == project_id:
            return member
    raise NotFound(f"{project_id[:64]} not found in the member list of the image {image.id}.")


def set_status(context: RequestContext, member: ImageMember, status: str) -> None:
    """Accept or reject an image. Raises Forbidden: only the member itself, or an admin, may."""
    if not context.is_admin and member.member != context.project_id:
        raise Forbidden("Only the member itself may change its status.")
    member.status = status
    member.updated_at = timezone.now()
    member.save(update_fields=["status", "updated_at"])


def remove(context: RequestContext, image: Image, project_id: str) -> None:
    """Stop sharing. Raises NotFound, Forbidden."""
    member = find(context, image, project_id)
    if not context.is_admin and image.owner != context.project_id:
        raise Forbidden("Only the owner of the image may remove its members.")
    member.delete()
