"""Start, stop and reboot."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from cloud.compute.errors import InstanceNotReady
from cloud.compute.models import Instance
from cloud.compute.services import operations
from cloud.compute.services.locks import check_lock
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.core.errors import StateConflict


def start(context: RequestContext, instance: Instance) -> None:
    """Begin to start a stopped server. Raises InstanceLocked, InstanceNotReady, StateConflict."""
    _begin(context, instance, "start", "start")


def stop(context: RequestContext, instance: Instance) -> None:
    """Begin to stop a server. Raises InstanceLocked, InstanceNotReady, StateConflict."""
    _begin(context, instance, "stop", "stop")


def reboot(context: RequestContext, instance: Instance, *, hard: bool) -> None:
    """Begin to reboot a server. Raises InstanceLocked, InstanceNotReady, StateConflict."""
    _begin(context, instance, "reboot_hard" if hard else "reboot", "reboot", hard=hard)


def _begin(context: RequestContext, instance: Instance, event: str, action: str, **plan: Any) -> None:
    check_lock(context, instance)
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)
    with transaction.atomic():
        rows = Instance.objects.filter(pk=instance.pk, deleted=False)
        if not machine.fire(rows, event, updated_at=timezone.now()):
            raise conflict(instance, event, action)
        operations.begin(context, [instance], action, action, plan)


def conflict(instance: Instance, event: str, action: str) -> StateConflict:
    """Return the refusal of an event that the instance's states do not allow, naming the state that is to blame."""
    instance.refresh_from_db(fields=["vm_state", "task_state"])
    is_vm_state_fit = any(
        row.event == event and instance.vm_state in row.vm_from for row in machine.transitions
    )
    attribute, state = ("task_state", instance.task_state) if is_vm_state_fit else ("vm_state", instance.vm_state)
    return StateConflict(action=action, uuid=instance.uuid, attribute=attribute, state=state)
