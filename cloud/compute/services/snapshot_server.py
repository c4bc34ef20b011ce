"""Make an image of a server's root disk."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from cloud.compute.errors import InstanceNotReady, TooManyItems
from cloud.compute.models import Instance
from cloud.compute.services import operations
from cloud.compute.services.locks import check_lock
from cloud.compute.services.power import conflict
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.identity.services import quotas
from cloud.images.models import Image
from cloud.images.services import store
from cloud.images.services.images import create_image

# What says something of the base image's own bytes, or of how it was made.
_NOT_INHERITED = frozenset({
    "cache_in_nova", "bittorrent", "img_signature_hash_method", "img_signature", "img_signature_key_type",
    "img_signature_certificate_uuid", "owner_specified.openstack.md5", "owner_specified.openstack.sha256",
    "owner_specified.openstack.object",
})  # fmt: skip
_UNFINISHED = ("queued", "saving")


def snapshot(context: RequestContext, instance: Instance, name: str, metadata: Mapping[str, str]) -> Image:
    """Begin to make an image of a server, which runs on; return the image, queued.

    Args:
        context: who asks, and who gets the image.
        instance: the server.
        name: of the image.
        metadata: properties of the image besides those of the server's own image.

    Raises:
        InstanceLocked, InstanceNotReady, StateConflict, HostTooOld: it cannot be copied now.
        TooManyItems, Invalid: more properties than an image may have.
    """
    check_lock(context, instance)
    if not machine.allows("snapshot", instance.vm_state, instance.task_state):
        raise conflict(instance, "snapshot", "createImage")
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)
    limit = quotas.limits(context.project_id, ("metadata_items",))["metadata_items"]
    if 0 <= limit < len(metadata):
        raise TooManyItems(limit=limit)
    with transaction.atomic():
        rows = Instance.objects.filter(pk=instance.pk, deleted=False)
        if not machine.fire(rows, "snapshot", updated_at=timezone.now()):
            raise conflict(instance, "snapshot", "createImage")
        image = create_image(context, _columns(instance, name), _properties(context, instance, metadata), [])
        operations.begin(context, [instance], "createImage", "snapshot", {"image_id": image.id})
    return image


def _columns(instance: Instance, name: str) -> dict[str, object]:
    base = Image.objects.filter(id=instance.image_ref).first()
    return {
        "name": name, "disk_format": "qcow2", "container_format": "bare", "visibility": "private",
        "min_ram": base.min_ram if base else 0, "min_disk": base.min_disk if base else 0,
    }  # fmt: skip


def _properties(context: RequestContext, instance: Instance, metadata: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: str(text) for name, text in instance.image_properties.items() if name not in _NOT_INHERITED}
    return {
        **inherited,
        "image_type": "snapshot",
        "instance_uuid": instance.uuid,
        "user_id": context.user_id,
        "base_image_ref": instance.image_ref,
        **metadata,
    }


def drop_unfinished(instance_uuid: str) -> None:
    """Remove the images of an instance whose data will not come any more."""
    rows = Image.objects.filter(
        status__in=_UNFINISHED, properties__image_type="snapshot", properties__instance_uuid=instance_uuid
    )
    for image_id in list(rows.values_list("id", flat=True)):
        Image.objects.filter(id=image_id, status__in=_UNFINISHED).delete()
        transaction.on_commit(lambda image_id=image_id: store.drop(image_id))  # type: ignore[misc]
