"""The end of a delete that keeps the server: its guest is off, disk, claim and ports stay, its quota is given back."""

from datetime import timedelta

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Migration, Operation
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.models.operations import StepState
from cloud.compute.services import graphs, host_feed, moves, operations, row_locks, step_rows
from cloud.conductor.steps import failing, orders
from cloud.conductor.steps.deleting import is_host_away
from cloud.conductor.steps.hearing import is_from_its_host
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.identity.services import quotas
from contracts.compute import COMMANDS, DropAside, PowerChanged
from contracts.errors import TENANT_TEXT, ErrorCode

AWAY_NOTE = "The host is away; the guest is stopped when it returns."
_OFF = 4


def finish_soft_delete(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """Keep the server when its guest is off. One whose guest is missing is off as well."""
    for operation in operations.enter([operation_id], attempt):
        if not is_from_its_host(outcome, operation):
            continue
        if outcome.is_failure and outcome.error_code != ErrorCode.INSTANCE_NOT_FOUND:
            failing.fail(operation, outcome.error_code, outcome.detail)
        else:
            complete(operation)


def complete(operation: Operation, note: str = "") -> None:
    """Mark the server as soft-deleted from now on, once; a move that waited to be confirmed is confirmed."""
    with transaction.atomic():
        row_locks.hold(operation)
        now = database_now()
        rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
        if not states.machine.fire(rows, "soft_deleted", deleted_at=now, updated_at=now, power_state=_OFF):
            transaction.set_rollback(True)
            return
        if note:
            step_rows.move([operation], {graphs.POWER: StepState.SKIPPED}, now)
        if not operations.finish(operation, message=note):
            transaction.set_rollback(True)
            return
        migration = moves.unfinished(operation.instance_uuid)
        if migration:
            _confirm(operation, migration)
        instance = rows.get()
        # Last, because it is the row that most others wait for.
        quotas.release(instance.project_id, moves.held(instance))


def _confirm(operation: Operation, migration: Migration) -> None:
    """Give up the old place. What its host misses of that, its next report brings up."""
    lasting = timedelta(seconds=COMMANDS[DropAside.NAME].timing.deadline_seconds)
    fence = {
        **orders.fence(operation, orders.CLEAN_UP), "host": migration.source_compute,
        "not_after": (database_now() + lasting).timestamp(),
    }  # fmt: skip
    rpc.cast(DropAside(**fence))
    host_feed.publish(moves.stay(migration, MigrationStatus.CONFIRMED))


def fail_soft_delete(operation: Operation, code: str, detail: str = "") -> None:
    """A host did not stop the guest: a dead one does so when it is back, with a living one the server stays."""
    if is_host_away(operation.host):
        complete(operation, note=AWAY_NOTE)
        return
    with transaction.atomic():
        row_locks.hold(operation)
        text = f"Delete failed: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"
        migration = moves.unfinished(operation.instance_uuid)
        if migration:
            moves.set_status(migration, MigrationStatus.FINISHED)
        failing.end(operation, code, ("soft_delete_failed",), text, detail)


failing.register("soft_delete", fail_soft_delete)
