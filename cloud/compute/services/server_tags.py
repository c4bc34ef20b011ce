"""Tags of a server."""

from collections.abc import Sequence

from django.db import transaction

from cloud.compute.errors import TagNotFound, TooManyTags
from cloud.compute.models import Instance, InstanceTag
from cloud.compute.services.server_states import check_settled

MAX_TAGS = 50
_ACTION = "update tags of"


def add(instance: Instance, tag: str) -> bool:
    """Add a tag; tell whether it is new.

    Raises:
        TooManyTags, StateConflict
    """
    check_settled(instance, _ACTION)
    with transaction.atomic():
        _lock(instance)
        rows = InstanceTag.objects.filter(instance_uuid=instance.uuid)
        if rows.filter(tag=tag).exists():
            return False
        if rows.count() >= MAX_TAGS:
            raise TooManyTags(limit=MAX_TAGS)
        InstanceTag.objects.create(instance_uuid=instance.uuid, tag=tag)
    return True


def replace(instance: Instance, tags: Sequence[str]) -> list[str]:
    """Let a server have these tags and no others; return them. Raises StateConflict."""
    check_settled(instance, _ACTION)
    wanted = sorted(set(tags))
    with transaction.atomic():
        _lock(instance)
        InstanceTag.objects.filter(instance_uuid=instance.uuid).delete()
        InstanceTag.objects.bulk_create(InstanceTag(instance_uuid=instance.uuid, tag=tag) for tag in wanted)
    return wanted


def remove(instance: Instance, tag: str) -> None:
    """Remove a tag.

    Raises:
        TagNotFound, StateConflict
    """
    check_settled(instance, "delete tag of")
    if not InstanceTag.objects.filter(instance_uuid=instance.uuid, tag=tag).delete()[0]:
        raise TagNotFound(uuid=instance.uuid, tag=tag)


def clear(instance: Instance) -> None:
    """Remove all tags. Raises StateConflict."""
    replace(instance, ())


def _lock(instance: Instance) -> None:
    Instance.objects.select_for_update().get(pk=instance.pk)
