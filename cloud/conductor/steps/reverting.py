"""The steps of the way back."""

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Migration, Operation
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.services import fencing, graphs, host_feed, moves, operations, row_locks
from cloud.compute.services.host_states import zones
from cloud.conductor.steps import failing
from cloud.conductor.steps.advancing import Advance, advance
from cloud.conductor.steps.deleting import is_host_away
from cloud.conductor.steps.hearing import heard
from cloud.core.clock import database_now
from cloud.images.services import transfers
from cloud.networks.services import allocation
from contracts.compute import PowerChanged, ServerDestroyed


def leave_new_host(operation: Operation) -> bool:
    """Take the server back without a word of its new host, where that can be; tell whether it can.

    It is proven to be off, or it never got to the guest: silence alone proves nothing.
    """
    undo = operation.plan.get("undo")
    if fencing.is_proven_off(operation.host):
        _leave(operation)
    elif undo and not undo["has_landed"] and is_host_away(operation.host):
        return_home(operation, has_vacated=False)
    else:
        return False
    return True


@transaction.atomic
def _leave(operation: Operation) -> None:
    """Note what the new host has as dead, so that it is gone before the host is trusted again."""
    fencing.hold(operation.host)
    row_locks.hold(operation)
    migration = moves.unfinished(operation.instance_uuid)
    is_left = migration is not None and fencing.leave(migration)
    if not (is_left and return_home(operation, has_vacated=False)):
        transaction.set_rollback(True)  # heard of meanwhile: it is asked when the step is sent again


def begin_take_back(outcome: ServerDestroyed, operation_id: str, attempt: int) -> None:
    """The new host is free of the server: it is its old host's again."""
    for operation in heard([outcome], operation_id, attempt):
        return_home(operation, has_vacated=True)


def return_home(operation: Operation, *, has_vacated: bool) -> bool:
    """Put the server back in its old place in the books, and have its old host take it; tell whether that was due."""
    migration = moves.unfinished(operation.instance_uuid)
    if migration is None:
        return False
    ended = (graphs.VACATE,)
    change = Advance(
        ended if has_vacated else (), (graphs.TAKE_BACK,), instance=home(migration), host=migration.source_compute,
        skipped=() if has_vacated else ended,
    )  # fmt: skip
    with transaction.atomic():
        row_locks.hold(operation)
        hosts = moves.go_back(migration)
        if not advance(operation, change):
            transaction.set_rollback(True)
            return False
        allocation.bind(operation.instance_uuid, migration.source_compute)
        host_feed.publish(hosts)
    return True


def home(migration: Migration) -> dict[str, object]:
    """Return the columns of a server that is its old host's again."""
    host = migration.source_compute
    return {"host": host, "node": migration.source_node, "availability_zone": zones([host])[host], **migration.before}


def finish_revert(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """The server is what and where it was."""
    for operation in heard([outcome], operation_id, attempt):
        _finish(operation, outcome.power_state)


def _finish(operation: Operation, power_state: int) -> None:
    migration = moves.unfinished(operation.instance_uuid)
    if migration is None:
        return
    is_active = migration.vm_state == states.ACTIVE
    undo = operation.plan.get("undo")
    with transaction.atomic():
        row_locks.hold(operation)
        rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
        event = "reverted_active" if is_active else "reverted_stopped"
        moved = states.machine.fire(rows, event, power_state=power_state, updated_at=database_now(), progress=100)
        if undo:
            failing.record_fault(operation, undo["text"], undo["detail"])
        is_closed = moved and (
            operations.fail(operation, undo["code"], undo["text"], undo["detail"]) if undo
            else operations.finish(operation)
        )  # fmt: skip
        if not is_closed:
            transaction.set_rollback(True)
            return
        status = MigrationStatus.ERROR if undo else MigrationStatus.REVERTED
        host_feed.publish(moves.give_up(migration, status))
        if is_active:
            allocation.set_active(operation.instance_uuid)
    transfers.drop(migration.uuid)
