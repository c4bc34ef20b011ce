"""The steps of an evacuation that follow the scheduler's and the hosts' answers.

Until the new host is told to make the server, nothing is lost that the old host may still have, and the proof that it
is dead is judged again; from then on the server is its new host's.
"""

from django.db import transaction

from cloud.compute import reasons, states
from cloud.compute.errors import HostInUse, HostNotFenced
from cloud.compute.models import Instance, Migration, Operation
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.services import fencing, graphs, host_feed, moves, operations, row_locks
from cloud.conductor.steps import failing, moving, unevacuating
from cloud.conductor.steps.advancing import Advance, advance
from cloud.conductor.steps.hearing import heard
from cloud.conductor.steps.no_valid_host import explain
from cloud.core.clock import database_now
from cloud.networks.services import allocation
from contracts.compute import ImagePrepared, PowerChanged
from contracts.errors import ErrorCode
from contracts.scheduling import Selected


def claim_evacuation(selected: Selected, operation_id: str, attempt: int) -> None:
    """Claim the first of the chosen hosts that still has room, beside what the server holds of its dead host."""
    for operation in operations.enter([operation_id], attempt):
        migration = moves.unfinished(operation.instance_uuid)
        if migration is None or migration.dest_compute:
            continue
        chosen = selected.hosts[0] if selected.hosts else []
        operation.trace = reasons.kept(operation.trace, attempt, selected, 0)
        if not chosen:
            unevacuating.end(operation, ErrorCode.NO_VALID_HOST, explain(selected), selected.nearest_miss)
        elif not _claim(operation, migration, chosen):
            moving.schedule_again(operation, chosen)


def _claim(operation: Operation, migration: Migration, chosen: list[str]) -> bool:
    try:
        with transaction.atomic():
            fencing.check(migration.source_compute)
            return moving.claim_first(operation, migration, chosen, _claimed)
    except (HostInUse, HostNotFenced) as refusal:
        failing.fail(operation, ErrorCode.HOST_NOT_FENCED, refusal.message)
        return True


def _claimed(host: str) -> Advance:
    return Advance((graphs.SELECT, graphs.CLAIM), (graphs.PREPARE_IMAGE,), host=host)


def begin_evacuation(outcome: ImagePrepared, operation_id: str, attempt: int) -> None:
    """The new host has the image: from now on the server is its."""
    for operation in heard([outcome], operation_id, attempt):
        migration = moves.unfinished(operation.instance_uuid)
        if migration is None:
            continue
        try:
            with transaction.atomic():
                fencing.check(migration.source_compute)
                _depart(operation, migration)
        except (HostInUse, HostNotFenced) as refusal:
            failing.fail(operation, ErrorCode.HOST_NOT_FENCED, refusal.message)


def _depart(operation: Operation, migration: Migration) -> None:
    row_locks.hold(operation)
    moves.set_status(migration, MigrationStatus.POST_MIGRATING)
    change = Advance((graphs.PREPARE_IMAGE,), (graphs.REBUILD,), "rebuild_spawn", moving.place_after(migration))
    if advance(operation, change):
        allocation.bind(operation.instance_uuid, migration.dest_compute)
    else:
        transaction.set_rollback(True)


def finish_evacuation(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """The server is there, running or off; nothing is held of its dead host any more."""
    for operation in heard([outcome], operation_id, attempt):
        migration = moves.unfinished(operation.instance_uuid)
        if migration is None:
            continue
        is_started = bool(operation.plan["is_started"])
        with transaction.atomic():
            row_locks.hold(operation)
            now = database_now()
            rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
            changes = {"power_state": outcome.power_state, "launched_at": now, "updated_at": now, "progress": 100}
            event = "evacuated_active" if is_started else "evacuated_stopped"
            if not (states.machine.fire(rows, event, **changes) and operations.finish(operation)):
                transaction.set_rollback(True)
                continue
            host_feed.publish(moves.stay(migration, MigrationStatus.DONE))
            if is_started:
                allocation.set_active(operation.instance_uuid)
