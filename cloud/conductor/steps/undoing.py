"""What becomes of a move that fails: nothing was done yet, or the server is taken back, or a person must look."""

from typing import Any

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation, Step
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.models.operations import OperationState
from cloud.compute.services import graphs, host_feed, moves, operations, row_locks, step_rows
from cloud.conductor.steps import failing
from cloud.conductor.steps.deleting import is_host_away
from cloud.core import rpc
from cloud.core.clock import database_now
from contracts.errors import TENANT_TEXT, ErrorCode


def fail_move(operation: Operation, code: str, detail: str = "") -> None:
    """End a move where it stands: before anything was done, or after the guest was set aside, or while it landed."""
    task_state = _task_state(operation)
    # A host that refuses was silent perhaps, and is not any more.
    is_away = code != ErrorCode.ORDER_REFUSED and is_host_away(operation.host)
    if task_state == states.RESIZE_PREP:
        refuse(operation, code, _text(operation, code), detail)
    elif is_away and (task_state == states.RESIZE_MIGRATING or _was_sent(operation, graphs.LAND)):
        _abandon(operation, code, detail)
    else:
        roll_back(operation, code, detail)


def _task_state(operation: Operation) -> str:
    rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
    return rows.values_list("task_state", flat=True).first() or ""


def _was_sent(operation: Operation, step: str) -> bool:
    rows = Step.objects.filter(operation=operation, attempt=operation.attempt, name=step, sends__gt=0)
    return rows.exists()


def _text(operation: Operation, code: str) -> str:
    return f"{operation.action.capitalize()} failed: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"


@transaction.atomic
def refuse(operation: Operation, code: str, text: str, detail: str) -> None:
    """End a move before anything was done: the server is as it was."""
    row_locks.hold(operation)
    migration = moves.unfinished(operation.instance_uuid)
    if failing.end(operation, code, ("move_refused",), text, detail) and migration:
        host_feed.publish(moves.give_up(migration))


@transaction.atomic
def _abandon(operation: Operation, code: str, detail: str) -> None:
    """The host that has the server is silent: it stays there, in ERROR, and nobody makes a second one.

    Where it was landing, its old host keeps what it has set aside, so that it can be reverted.
    """
    row_locks.hold(operation)
    migration = moves.unfinished(operation.instance_uuid)
    if not failing.end(operation, code, ("move_failed",), _text(operation, code), detail):
        return
    if migration and operation.host == migration.source_compute and migration.status == MigrationStatus.MIGRATING:
        host_feed.publish(moves.give_up(migration))


@transaction.atomic
def roll_back(operation: Operation, code: str, detail: str) -> None:
    """Go on as the way back, as the operation's next attempt: whatever the last one ordered comes too late then."""
    row_locks.hold(operation)
    now = database_now()
    migration = moves.unfinished(operation.instance_uuid)
    rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
    if migration is None or not states.machine.fire(rows, "take_back", updated_at=now):
        transaction.set_rollback(True)  # deleted meanwhile: the delete cleans up
        return
    is_landing = operation.host == migration.dest_compute and migration.status == MigrationStatus.POST_MIGRATING
    step_rows.close_failed([operation], now, code, detail)
    undo = {
        "code": str(code), "text": _text(operation, code), "detail": detail,
        "has_landed": _was_sent(operation, graphs.LAND),
    }  # fmt: skip
    plan = {**operation.plan, "undo": undo}
    renew(operation, now, workflow="revert_resize", first=graphs.VACATE if is_landing else graphs.TAKE_BACK, plan=plan)
    if not is_landing:
        host_feed.publish(moves.go_back(migration))


def ask_again(operation: Operation, detail: str) -> None:
    """Every chosen host filled up: ask the scheduler once more."""
    with transaction.atomic():
        row_locks.hold(operation)
        now = database_now()
        step_rows.close_failed([operation], now, ErrorCode.CLAIM_CONFLICT, detail)
        renew(operation, now, workflow=operation.workflow, first=graphs.SELECT, plan=operation.plan)


def renew(
    operation: Operation, now: Any, *, workflow: str, first: str, plan: dict[str, Any], **columns: Any
) -> None:
    """Let an operation go on as its next attempt, with a graph made anew; nothing changes if it was closed."""
    changes = {
        "attempt": operation.attempt + 1, "workflow": workflow, "plan": plan, "trace": operation.trace,
        "updated_at": now,
        **operations.due(graphs.TIMINGS[workflow, first], now), **columns,
    }  # fmt: skip
    running = Operation.objects.filter(id=operation.id, state=OperationState.RUNNING, attempt=operation.attempt)
    if not running.update(**changes):
        transaction.set_rollback(True)
        return
    for name, value in changes.items():
        setattr(operation, name, value)
    step_rows.plan([operation], now, first=first)
    rpc.launch(workflow, [operation.id])


def fail_confirm(operation: Operation, code: str, detail: str = "") -> None:
    """The old host did not remove what it had set aside: it does so when it is back, or the owner asks again."""
    from cloud.conductor.steps.confirming import complete  # noqa: PLC0415 - each ends what the other could not

    if is_host_away(operation.host):
        complete(operation)
        return
    with transaction.atomic():
        row_locks.hold(operation)
        migration = moves.unfinished(operation.instance_uuid)
        if migration:
            moves.set_status(migration, MigrationStatus.FINISHED)
        failing.end(operation, code, ("confirm_failed",), _text(operation, code), detail)


def fail_revert(operation: Operation, code: str, detail: str = "") -> None:
    """A server could not be taken back: it stays where its rows say that it is."""
    undo = operation.plan.get("undo")
    with transaction.atomic():
        row_locks.hold(operation)
        migration = moves.unfinished(operation.instance_uuid)
        is_back = not _was_sent(operation, graphs.VACATE) or _was_sent(operation, graphs.TAKE_BACK)
        # Unless the host refused to begin, nobody knows how much of the guest it left.
        is_whole = code == ErrorCode.ORDER_REFUSED and not undo and not is_back
        event = "revert_refused" if is_whole else "revert_failed"
        reason = f"{undo['detail']} | {detail}" if undo else detail
        if not failing.end(operation, code, (event,), undo["text"] if undo else _text(operation, code), reason):
            return
        if migration and is_back:
            host_feed.publish(moves.give_up(migration))
        elif migration:
            status = MigrationStatus.POST_MIGRATING if undo else MigrationStatus.FINISHED
            moves.set_status(migration, status)


failing.register("resize", fail_move, goes_on_as=("resize", "revert_resize"))
failing.register("confirm_resize", fail_confirm)
failing.register("revert_resize", fail_revert)
