"""What becomes of an evacuation that fails: another host, or an end with a reason; never two hosts with the server.

A host that was told to make the server must say that it has nothing of it before another one is asked. One that falls
silent instead keeps it, in ERROR, until it is proven dead itself.
"""

from django.conf import settings
from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Migration, Operation
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.services import graphs, host_feed, moves, row_locks, step_rows
from cloud.conductor.steps import failing
from cloud.conductor.steps.deleting import is_host_away
from cloud.conductor.steps.hearing import heard
from cloud.conductor.steps.reverting import home
from cloud.conductor.steps.undoing import renew
from cloud.core.clock import database_now
from cloud.networks.services import allocation
from contracts.compute import ServerDestroyed
from contracts.errors import RETRY_ELSEWHERE, TENANT_TEXT, ErrorCode


def fail_evacuation(operation: Operation, code: str, detail: str = "") -> None:
    """Try another host if one may do better, else leave the server in ERROR where it was; undo first what was begun."""
    migration = moves.unfinished(operation.instance_uuid)
    if migration is None or migration.status != MigrationStatus.POST_MIGRATING:
        _go_on(operation, code, detail)
    elif is_host_away(operation.host):
        _abandon(operation, code, _text(code), detail)
    else:
        _undo(operation, code, detail)


def _text(code: str) -> str:
    return f"Evacuate failed: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"


@transaction.atomic
def _undo(operation: Operation, code: str, detail: str) -> None:
    """Go on as the way back, as the operation's next attempt: whatever the last one ordered comes too late then."""
    row_locks.hold(operation)
    now = database_now()
    step_rows.close_failed([operation], now, code, detail)
    plan = {**operation.plan, "undo": {"code": str(code), "detail": detail}}
    renew(operation, now, workflow="undo_evacuation", first=graphs.DESTROY, plan=plan)


def leave_host(outcome: ServerDestroyed, operation_id: str, attempt: int) -> None:
    """The host that failed has nothing of the server: another one may try, or the server is where it was."""
    for operation in heard([outcome], operation_id, attempt):
        undo = operation.plan["undo"]
        with transaction.atomic():
            row_locks.hold(operation)
            step_rows.close_done([operation], database_now())
            _go_on(operation, undo["code"], undo["detail"])


def _go_on(operation: Operation, code: str, detail: str) -> None:
    tried = len(operation.hosts_tried) + 1
    is_free = operation.host and not operation.plan.get("requested_host")
    if is_free and code in RETRY_ELSEWHERE and tried < settings.MAX_BUILD_ATTEMPTS:
        _next_attempt(operation, code, detail)
    else:
        end(operation, code, _text(code), detail)


@transaction.atomic
def _next_attempt(operation: Operation, code: str, detail: str) -> None:
    row_locks.hold(operation)
    now = database_now()
    migration = moves.unfinished(operation.instance_uuid)
    rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
    if migration is None or not states.machine.fire(rows, "evacuate_again", updated_at=now, **home(migration)):
        transaction.set_rollback(True)  # deleted meanwhile: the delete cleans up
        return
    step_rows.close_failed([operation], now, code, detail)
    _return(migration)
    moves.set_status(migration, MigrationStatus.PRE_MIGRATING, dest_compute="", dest_node="")
    tried = [*operation.hosts_tried, operation.host]
    renew(
        operation, now, workflow="evacuate", first=graphs.SELECT, plan=operation.plan, hosts_tried=tried, host=""
    )


def _return(migration: Migration) -> None:
    """Let the server hold of its old host what it held there, and nothing of the one that failed."""
    host_feed.publish(moves.go_back(migration))
    allocation.bind(migration.instance_uuid, migration.source_compute)


@transaction.atomic
def end(operation: Operation, code: str, text: str, detail: str) -> None:
    """End an evacuation with the server where it was: in ERROR, or as it was where its host turned out to live."""
    row_locks.hold(operation)
    migration = moves.unfinished(operation.instance_uuid)
    rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
    event = "evacuate_refused" if code == ErrorCode.HOST_NOT_FENCED else "evacuate_failed"
    if failing.end(operation, code, (event,), text, detail) and migration:
        rows.update(**home(migration))
        _return(migration)
        moves.give_up(migration)


@transaction.atomic
def _abandon(operation: Operation, code: str, text: str, detail: str) -> None:
    """The host that may have the server is silent: the server is its, in ERROR, and nobody makes a second one."""
    row_locks.hold(operation)
    migration = moves.unfinished(operation.instance_uuid)
    if failing.end(operation, code, ("evacuate_failed",), text, detail) and migration:
        host_feed.publish(moves.stay(migration, MigrationStatus.DONE))


def fail_undo(operation: Operation, code: str, detail: str = "") -> None:
    """A host did not remove what it may have made of an evacuated server: the server stays there, in ERROR."""
    undo = operation.plan["undo"]
    _abandon(operation, code, _text(undo["code"]), f"{undo['detail']} | {detail}")


failing.register("evacuate", fail_evacuation, goes_on_as=("evacuate", "undo_evacuation"))
failing.register("undo_evacuation", fail_undo, goes_on_as=("evacuate",))
