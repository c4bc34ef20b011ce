"""The end of a confirmed move."""

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.services import host_feed, moves, operations, row_locks
from cloud.conductor.steps.hearing import heard
from cloud.core.clock import database_now
from contracts.compute import ServerDestroyed

_OFF = frozenset({4, 6})


def finish_confirm(outcome: ServerDestroyed, operation_id: str, attempt: int) -> None:
    """Give up the old place when its host has removed what it had set aside."""
    for operation in heard([outcome], operation_id, attempt):
        complete(operation)


def complete(operation: Operation) -> None:
    """Let the server be what it was before, with the flavor and host that it has now."""
    with transaction.atomic():
        row_locks.hold(operation)
        rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
        power_state = rows.values_list("power_state", flat=True).first()
        event = "confirmed_stopped" if power_state in _OFF else "confirmed_active"
        migration = moves.unfinished(operation.instance_uuid)
        if not states.machine.fire(rows, event, updated_at=database_now()) or not operations.finish(operation):
            transaction.set_rollback(True)
        elif migration:
            host_feed.publish(moves.stay(migration, MigrationStatus.CONFIRMED))
