"""Begin to make a server anew on another host, because its own is dead.

The host's death must be proven, or there could be two of the server. Its disks are lost with the host: the new ones are
made from its image.
"""

import msgspec
from django.db import transaction
from django.utils import timezone

from cloud.compute import states
from cloud.compute.errors import ImageGone, InstanceNotReady, SameHost, TargetHostNotFound, UnfinishedMove
from cloud.compute.models import ComputeNode, Instance, Migration, Operation
from cloud.compute.models.migrations import EVACUATION, MigrationStatus
from cloud.compute.services import fencing, moves, operations
from cloud.compute.services.power import conflict
from cloud.compute.states import machine
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.context import RequestContext
from cloud.images.models import Image
from contracts.scheduling import RequestSpec

_EVACUATE = "evacuate"


def evacuate(context: RequestContext, instance: Instance, host: str = "", *, is_stopped: bool = False) -> None:
    """Begin to evacuate a server from its dead host.

    Args:
        context: who asks.
        instance: the server.
        host: where it shall go; empty for wherever there is room.
        is_stopped: it is off afterwards, whatever it was.

    Raises:
        TargetHostNotFound, SameHost: it cannot go there.
        InstanceNotReady, StateConflict, UnfinishedMove, ImageGone: it cannot be made anew now.
        HostInUse, HostNotFenced: its host is not proven dead.
    """
    if host and not ComputeNode.objects.filter(host=host).exists():
        raise TargetHostNotFound(host=host)
    if host and host == instance.host:
        raise SameHost
    if not machine.allows(_EVACUATE, instance.vm_state, instance.task_state):
        raise conflict(instance, _EVACUATE, _EVACUATE)
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)
    with transaction.atomic():
        fencing.check(instance.host)
        _check_remains(instance)
        _begin(context, instance, host, is_stopped=is_stopped)


def _check_remains(instance: Instance) -> None:
    move = moves.unfinished(instance.uuid)
    if move is not None:
        raise UnfinishedMove(host=move.source_compute)
    if not Image.objects.filter(id=instance.image_ref).exists():
        raise ImageGone(image=instance.image_ref)


def _begin(context: RequestContext, instance: Instance, host: str, *, is_stopped: bool) -> None:
    was = _was(instance)
    rows = Instance.objects.filter(pk=instance.pk, host=instance.host, deleted=False)
    if not machine.fire(rows, _EVACUATE, updated_at=timezone.now(), progress=0):
        raise conflict(instance, _EVACUATE, _EVACUATE)
    is_started = was != states.STOPPED and not is_stopped
    plan = {"ignore_hosts": [instance.host], "requested_host": host, "is_started": is_started}
    (operation,) = operations.begin(context, [instance], _EVACUATE, _EVACUATE, plan)
    # Nobody waits for an answer of the dead host, and what waits for it there is void.
    Operation.objects.filter(id=operation.id).update(host="")
    rpc.drop_orders(instance.host)
    spec = msgspec.structs.replace(RequestSpec.from_wire(instance.request_spec), requested_host="")
    now = database_now()
    Migration.objects.create(
        instance_uuid=instance.uuid, project_id=instance.project_id, user_id=context.user_id,
        operation_id=operation.id, migration_type=EVACUATION, source_compute=instance.host,
        source_node=instance.node, vm_state=was, created_at=now, updated_at=now,
        before={"flavor": instance.flavor, "request_spec": instance.request_spec},
        after={"flavor": instance.flavor, "request_spec": spec.to_wire()},
    )  # fmt: skip


def _was(instance: Instance) -> str:
    """Return what the server was before its host died, or before an evacuation that failed."""
    if instance.vm_state != states.ERROR:
        return instance.vm_state
    last = Migration.objects.filter(instance_uuid=instance.uuid).order_by("-created_at", "-id").first()
    if last and last.migration_type == EVACUATION and last.status == MigrationStatus.ERROR:
        return last.vm_state
    return states.ACTIVE
