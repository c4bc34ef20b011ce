"""Which images a project may see, and which it may boot."""

from django.db.models import Q, QuerySet

from cloud.core.context import RequestContext, seen_by, viewer
from cloud.core.kept import Kept
from cloud.images.errors import ImageNotBootable, ImageNotFound
from cloud.images.models import Image, ImageMember

# Formats that a host can boot; the others are kept for their owners, who know what to do with them.
BOOTABLE_FORMATS = frozenset({"qcow2", "raw"})


def visible(context: RequestContext) -> QuerySet[Image]:
    """Return the images that the context may read by id: public, community, its own, and shared with it."""
    if context.is_admin:
        return Image.objects.all()
    return Image.objects.filter(
        Q(visibility__in=("public", "community"))
        | Q(owner=context.project_id)
        | Q(visibility="shared", pk__in=_shared_with(context.project_id, "all"))
    )


def listed(context: RequestContext, visibility: str, member_status: str) -> QuerySet[Image]:
    """Return the images that a list shows: without community ones of others unless they are asked for.

    Args:
        context: who asks.
        visibility: the filter of that name; empty for none, `all` for every visible image.
        member_status: of images shared with the project: accepted, pending, rejected or all.
    """
    shared = Q(visibility="shared", pk__in=_shared_with(context.project_id, member_status))
    mine = Q(owner=context.project_id)
    scope = Q(visibility="public") | mine | shared
    if visibility in ("community", "all"):
        scope |= Q(visibility="community")
    if context.is_admin:
        scope = Q() if visibility else ~Q(visibility="community") | mine
    rows = Image.objects.filter(scope)
    if visibility and visibility != "all":
        rows = rows.filter(visibility=visibility)
    return rows


def _shared_with(project_id: str, member_status: str) -> QuerySet[ImageMember]:
    rows = ImageMember.objects.filter(member=project_id)
    if member_status != "all":
        rows = rows.filter(status=member_status)
    return rows.values("image")


_of_id: Kept[Image] = Kept(lambda image_id, **seen: visible(viewer(**seen)).filter(id=image_id))


def find(context: RequestContext, image_id: str) -> Image:
    """Return a visible image.

    Raises:
        ImageNotFound
    """
    image = _of_id.first(image_id=image_id, **seen_by(context))
    if image is None:
        raise ImageNotFound(image_id=image_id[:64])
    return image


def find_own(context: RequestContext, image_id: str) -> Image:
    """Return an image that the context may change.

    Raises:
        ImageNotFound: it cannot be seen, or belongs to somebody else.
    """
    image = find(context, image_id)
    if not context.is_admin and image.owner != context.project_id:
        raise ImageNotFound(image_id=image_id[:64])
    return image


def usable_image(context: RequestContext, image_id: str) -> Image:
    """Return an image that a server may boot from.

    Raises:
        ImageNotFound: there is none that the context may see.
        ImageNotBootable: it is not active, of another format, or its bytes were not what was declared.
    """
    image = find(context, image_id)
    reason = _why_not_bootable(image)
    if reason:
        raise ImageNotBootable(image_id=image.id, reason=reason)
    return image


def _why_not_bootable(image: Image) -> str:
    if image.status != "active":
        return "Image is not active."
    if image.disk_format not in BOOTABLE_FORMATS:
        return f"A server cannot boot from disk format {image.disk_format}; convert it to qcow2 or raw."
    if image.virtual_size is None:
        return f"Its bytes are not a valid {image.disk_format} disk."
    return ""
