"""Delete a server, whatever it is doing: at once, or kept for a while so that it can be restored."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.compute.services import moves, operations
from cloud.compute.services.locks import check_lock
from cloud.compute.services.snapshot_server import drop_unfinished
from cloud.compute.states import machine
from cloud.core.context import RequestContext


def delete(context: RequestContext, instance: Instance) -> bool:
    """Begin to delete; a server that is being deleted already, or is kept to be restored, is left to that.

    Tell whether it was begun.

    Where deleted servers are kept, one that never ran or is not whole is deleted at once all the same.

    Raises:
        InstanceLocked
    """
    check_lock(context, instance)
    with transaction.atomic():
        # Locked, so that what is decided of its state is done to that state.
        now_is = Instance.objects.select_for_update().filter(pk=instance.pk, deleted=False).first()
        if now_is is None or (is_kept_here() and _is_kept_already(now_is)):
            return False
        if is_kept_here() and _can_be_kept(now_is):
            return _begin(context, now_is, "soft_delete", "soft_delete")
        return _begin(context, now_is, "delete", "delete")


def force_delete(context: RequestContext, instance: Instance) -> bool:
    """Begin to delete at once, in any state; a server that is being deleted already is left to that.

    Tell whether it was begun.

    Raises:
        InstanceLocked
    """
    check_lock(context, instance)
    with transaction.atomic():
        return _begin(context, instance, "delete", "delete")


def is_kept_here() -> bool:
    """Tell whether this cloud keeps deleted servers for a while."""
    return settings.RECLAIM_INSTANCE_INTERVAL > 0


def _is_kept_already(instance: Instance) -> bool:
    is_resting = instance.vm_state == states.SOFT_DELETED and instance.task_state == states.IDLE
    return is_resting or instance.task_state == states.SOFT_DELETING


def _can_be_kept(instance: Instance) -> bool:
    if not instance.host or instance.launched_at is None:
        return False
    # Half of what a move left open may lie on another host, unless it only waits to be confirmed.
    is_whole = instance.vm_state == states.RESIZED or moves.unfinished(instance.uuid) is None
    return is_whole and machine.allows("soft_delete", instance.vm_state, instance.task_state)


def _begin(context: RequestContext, instance: Instance, event: str, workflow: str) -> bool:
    rows = Instance.objects.filter(pk=instance.pk, deleted=False)
    if not machine.fire(rows, event, updated_at=timezone.now()):
        return False
    operations.begin(context, [instance], "delete", workflow)
    drop_unfinished(instance.uuid)
    return True
