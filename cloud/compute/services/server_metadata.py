"""Change the metadata of a server. A change reads, decides and writes under the row's lock."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from cloud.compute.errors import MetadataItemNotFound, TooManyItems
from cloud.compute.models import Instance
from cloud.compute.services.locks import check_lock
from cloud.compute.services.server_states import check_idle, check_settled
from cloud.core.context import RequestContext
from cloud.identity.services import quotas

_UPDATE = "update metadata of"
_DELETE = "delete metadata of"


def merge(context: RequestContext, instance: Instance, items: Mapping[str, str]) -> dict[str, str]:
    """Add items, or change those there are; return them all.

    Raises:
        TooManyItems, StateConflict, InstanceLocked
    """
    with transaction.atomic():
        locked = _lock(context, instance, _UPDATE)
        return _write(locked, {**locked.metadata, **items})


def replace(context: RequestContext, instance: Instance, items: Mapping[str, str]) -> dict[str, str]:
    """Let a server have these items and no others; return them.

    Raises:
        TooManyItems, StateConflict, InstanceLocked
    """
    with transaction.atomic():
        return _write(_lock(context, instance, _UPDATE), dict(items))


def remove(context: RequestContext, instance: Instance, key: str) -> None:
    """Remove an item.

    Raises:
        MetadataItemNotFound, StateConflict, InstanceLocked
    """
    with transaction.atomic():
        locked = _lock(context, instance, _DELETE)
        if key not in locked.metadata:
            raise MetadataItemNotFound
        _write(locked, {name: value for name, value in locked.metadata.items() if name != key})


def _lock(context: RequestContext, instance: Instance, action: str) -> Instance:
    check_lock(context, instance)
    locked = Instance.objects.select_for_update().get(pk=instance.pk)
    check_settled(locked, action)
    check_idle(locked, action)
    return locked


def _write(instance: Instance, items: dict[str, str]) -> dict[str, str]:
    limit = quotas.limits(instance.project_id, ("metadata_items",))["metadata_items"]
    if 0 <= limit < len(items):
        raise TooManyItems(limit=limit)
    Instance.objects.filter(pk=instance.pk).update(metadata=items, updated_at=timezone.now())
    return items
