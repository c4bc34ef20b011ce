"""The end of a stop, start or reboot."""

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.services import operations
from cloud.conductor.steps.hearing import heard
from cloud.core.clock import database_now
from contracts.compute import PowerChanged

_EVENTS = {"stop": "stopped", "start": "started", "reboot": "rebooted"}


def finish_power(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """Write down the instance's new state, or that it could not be reached."""
    for operation in heard([outcome], operation_id, attempt):
        _finish(operation, outcome.power_state)


def _finish(operation: Operation, power_state: int) -> None:
    with transaction.atomic():
        rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
        event = _EVENTS[operation.workflow]
        now = database_now()
        moved = states.machine.fire(rows, event, power_state=power_state, updated_at=now)
        if not (moved and operations.finish(operation)):
            transaction.set_rollback(True)
