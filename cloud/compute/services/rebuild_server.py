"""Make a server's disk anew from an image, on its host and with all that it has besides."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from cloud.compute.errors import InstanceNotReady, TooManyItems
from cloud.compute.models import Instance
from cloud.compute.services import boot_choices, operations
from cloud.compute.services.locks import check_lock
from cloud.compute.services.power import conflict
from cloud.compute.services.server_placement import image_words
from cloud.compute.services.update_server import columns_of
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.identity.services import quotas


def rebuild(context: RequestContext, instance: Instance, image_id: str, changes: Mapping[str, Any]) -> None:
    """Begin to rebuild a server.

    Args:
        context: who asks.
        instance: the server.
        image_id: what its new disk is made from.
        changes: what else becomes different, by the names that clients use: what `update_server` knows, and
            `metadata` (all of it), `key_name` and `user_data`, which may be None.

    Raises:
        UnknownImage, UnknownKeyPair, Invalid: what the new disk would be made from does not fit.
        TooManyItems, InstanceLocked, InstanceNotReady, StateConflict
    """
    check_lock(context, instance)
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)
    with transaction.atomic():
        columns = {**columns_of(changes), **_choices(context, changes), **_image(context, instance, image_id)}
        rows = Instance.objects.filter(pk=instance.pk, deleted=False)
        if not machine.fire(rows, "rebuild", updated_at=timezone.now(), progress=0, **columns):
            raise conflict(instance, "rebuild", "rebuild")
        operations.begin(context, [instance], "rebuild", "rebuild", {"image": image_id})


def _image(context: RequestContext, instance: Instance, image_id: str) -> dict[str, Any]:
    size = boot_choices.Size(instance.flavor["memory_mb"], instance.flavor["disk_gb"])
    image = boot_choices.image(context, image_id, size)
    return {
        "image_ref": image.id,
        "image_properties": dict(image.properties),
        "request_spec": {**instance.request_spec, "image_properties": image_words(image.properties)},
    }


def _choices(context: RequestContext, changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if "metadata" in changes:
        limit = quotas.limits(context.project_id, ("metadata_items",))["metadata_items"]
        if 0 <= limit < len(changes["metadata"]):
            raise TooManyItems(limit=limit)
        columns["metadata"] = dict(changes["metadata"])
    if "key_name" in changes:
        name = changes["key_name"]
        columns |= {"key_name": name, "key_data": boot_choices.key(context, name or "")}
    if "user_data" in changes:
        columns["user_data"] = changes["user_data"] or ""
    return columns
