"""Servers let go of the ports that were deleted through the Network API: at once, or when they are idle again."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from cloud.compute.models import Instance
from cloud.compute.services import operations, releases
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.networks.services import attaching

_DETACH = "detach_interface"


def detach(context: RequestContext, instance_uuid: str, port_id: str) -> bool:
    """Have a server let go of a port that is being deleted; tell whether there is such a server.

    One that is busy, or that nothing can be detached from as it is now, keeps it until `detach_later` finds it idle. A
    lock is no obstacle: it guards the server against requests for the server.
    """
    instance = Instance.objects.select_for_update().filter(uuid=instance_uuid, deleted=False).first()
    position = attaching.position_of(instance_uuid, port_id) if instance else None
    if instance is None or position is None:
        return False
    if not instance.host:
        document = attaching.without(instance.network_request, position)
        Instance.objects.filter(pk=instance.pk).update(network_request=document)
        return False
    _begin(context, instance, port_id, position)
    return True


def detach_later(context: RequestContext, leaving: Collection[tuple[str, str, int]]) -> int:
    """Begin to detach what still waits for it, (server, port, position) of each; return how many that were."""
    begun = 0
    for instance_uuid, port_id, position in leaving:
        with transaction.atomic():
            instance = Instance.objects.select_for_update().filter(uuid=instance_uuid, deleted=False).first()
            begun += bool(instance and instance.host and _begin(context, instance, port_id, position))
    return begun


def _begin(context: RequestContext, instance: Instance, port_id: str, position: int) -> bool:
    if releases.too_old(_DETACH, {instance.host}):
        return False
    rows = Instance.objects.filter(pk=instance.pk, deleted=False)
    if not machine.fire(rows, _DETACH, updated_at=timezone.now()):
        return False
    operations.begin(context, [instance], _DETACH, _DETACH, {"position": position, "port_id": port_id})
    return True
