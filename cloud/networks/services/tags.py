"""Tags of resources.

`own` finds a resource that the token may change and locks it, or refuses: see `selectors.owned`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import TagNotFound
from cloud.networks.models import ResourceTag
from cloud.networks.services.changing import save_changes

Own = Callable[[RequestContext, str], Any]


def set_tags(resource_id: str, tags: Sequence[str]) -> None:
    """Replace all tags of a resource that the caller has found to be the token's."""
    ResourceTag.objects.filter(resource_id=resource_id).delete()
    ResourceTag.objects.bulk_create(ResourceTag(resource_id=resource_id, tag=tag) for tag in dict.fromkeys(tags))


def replace_tags(own: Own, context: RequestContext, resource_id: str, tags: Sequence[str]) -> None:
    """Replace all tags of a resource. Raises what `own` raises."""
    with transaction.atomic():
        row = own(context, resource_id)
        set_tags(resource_id, tags)
        save_changes(row, {})


def add_tag(own: Own, context: RequestContext, resource_id: str, tag: str) -> None:
    """Put a tag on a resource; one that is there stays. Raises what `own` raises."""
    with transaction.atomic():
        row = own(context, resource_id)
        _, is_new = ResourceTag.objects.get_or_create(resource_id=resource_id, tag=tag)
        if is_new:
            save_changes(row, {})


def remove_tag(own: Own, context: RequestContext, resource_id: str, tag: str) -> None:
    """Take a tag off. Raises TagNotFound and what `own` raises."""
    with transaction.atomic():
        row = own(context, resource_id)
        gone, _ = ResourceTag.objects.filter(resource_id=resource_id, tag=tag).delete()
        if not gone:
            raise TagNotFound(tag=tag)
        save_changes(row, {})


def require_tag(resource_id: str, tag: str) -> None:
    """Make sure that a resource has a tag. Raises TagNotFound."""
    if not ResourceTag.objects.filter(resource_id=resource_id, tag=tag).exists():
        raise TagNotFound(tag=tag)
