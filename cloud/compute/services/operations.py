"""Operations: begun in the transaction that changes the instance, closed in the one that ends the work.

Every verb is fenced: it touches only operations that are still running, so that what comes late changes nothing.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.services import releases, row_locks, step_rows, tries
from cloud.compute.services.graphs import GRAPHS
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.context import RequestContext, current_request_id
from cloud.core.insert import insert
from cloud.core.kept import Json, Kept, KeptUpdate
from cloud.core.models import new_uuid
from contracts.errors import ErrorCode
from contracts.timeouts import Timing

_log = logging.getLogger(__name__)
_MESSAGE_CHARACTERS = 2_000
_FIRST_SEND_SECONDS = 10.0
_running: Kept[Operation] = Kept(
    lambda ids, attempt: Operation.objects.filter(id__in=ids, state=OperationState.RUNNING, attempt=attempt)
)


def begin(
    context: RequestContext,
    instances: Sequence[Instance],
    action: str,
    workflow: str,
    plan: Mapping[str, Any] | None = None,
    *,
    host: str = "",
) -> list[Operation]:
    """Record an operation with its whole planned graph for each instance; the workflow starts when this commits.

    Whatever else was under way on the instances is closed: the caller's compare-and-swap decided that this one goes
    first. Call it inside the transaction that made that swap.

    Args:
        context: who asks.
        instances: rows that exist. All of them share one decision of the scheduler where the workflow needs one.
        action: Nova's name of it, e.g. `create`.
        workflow: a name of `cloud.compute.services.graphs.GRAPHS`.
        plan: what the request asked beyond the instance.
        host: where the first order goes; empty for where each instance is.

    Raises:
        HostTooOld: a host's agent is of a release that does not know the workflow's orders.
    """
    releases.check(workflow, {host or one.host for one in instances})
    now = database_now()
    first = GRAPHS[workflow][0]
    times = due(first.timing, now)
    patient_until, times["resend_at"] = times["resend_at"], _until_sent(first.timing, now)
    with transaction.atomic(savepoint=False):
        if workflow != "build":
            supersede([one.uuid for one in instances], action, now)
        operations = [
            Operation(
                id=new_uuid(),
                instance_uuid=one.uuid,
                project_id=context.project_id or one.project_id,
                user_id=context.user_id,
                request_id=context.request_id,
                action=action,
                workflow=workflow,
                plan=dict(plan or {}),
                host=host or one.host,
                started_at=now,
                updated_at=now,
                **times,
            )
            for one in instances
        ]
        insert(operations)
        step_rows.plan(operations, now)
        ids = [one.id for one in operations]
        rpc.launch(workflow, ids, sent=lambda: _be_patient(ids, times["resend_at"], patient_until))
    return operations


def _until_sent(timing: Timing, now: datetime) -> datetime:
    """Until the broker has the first message, nobody but this process knows of it: that is not waited for long."""
    return now + timedelta(seconds=min(timing.resend_seconds, _FIRST_SEND_SECONDS))


def _be_patient(ids: Sequence[str], soon: datetime, patient_until: datetime) -> None:
    """The first message is with the broker: its step has the time that its contract gives it, unless it moved on."""
    if patient_until > soon:
        rows = Operation.objects.filter(id__in=ids, state=OperationState.RUNNING, resend_at=soon)
        row_locks.update_unlocked(rows, resend_at=patient_until)


def due(timing: Timing, now: datetime) -> dict[str, datetime | None]:
    """Return when an order given now is sent again, when it has failed, and that no try of it is counted yet."""
    return {
        "resend_at": now + timedelta(seconds=timing.resend_seconds),
        "deadline": now + timedelta(seconds=timing.deadline_seconds),
        "begun": None,
    }


def running(operation_ids: Collection[str], attempt: int) -> list[Operation]:
    """Return those of the operations that run and stand at this attempt; for the others it is too late.

    From here on log lines carry the id of the request that they belong to.
    """
    found = _running(ids=list(operation_ids), attempt=attempt)
    if found:
        current_request_id.set(found[0].request_id)
    if len(found) < len(operation_ids):
        _log.info("%d of %s came too late for attempt %d", len(operation_ids) - len(found), operation_ids, attempt)
    return found


def enter(operation_ids: Collection[str], attempt: int) -> list[Operation]:
    """Return the same, counting the tries of what was sent again; call it outside of a transaction.

    What took its process with it too often is not among them.
    """
    return tries.begin(running(operation_ids, attempt))


def finish(operation: Operation, *, message: str = "") -> bool:
    """Close an operation as successful, and its steps; tell whether it was still running."""
    return finish_all([operation], message=message)


def finish_all(operations: Sequence[Operation], *, message: str = "") -> bool:
    """Close operations of one attempt as successful; tell whether all of them were still running.

    If not, the caller undoes what became of the others.
    """
    return _close(operations, {"state": OperationState.SUCCEEDED, "message": message[:_MESSAGE_CHARACTERS]})


def fail(operation: Operation, code: str, message: str, detail: str = "") -> bool:
    """Close an operation, and the step it stands at, as failed; tell whether it was still running.

    Args:
        operation: the row.
        code: of `contracts.errors.ErrorCode`, or the kind of a CloudError.
        message: for the owner: no host names, nothing internal.
        detail: for operators.
    """
    changes = {
        "state": OperationState.FAILED,
        "error_code": str(code)[:32],
        "message": message[:_MESSAGE_CHARACTERS],
        "detail": detail[:_MESSAGE_CHARACTERS],
        "trace": operation.trace,
    }
    return _close([operation], changes)


def _close(operations: Sequence[Operation], changes: Mapping[str, Any]) -> bool:
    now = database_now()
    ended = {"finished_at": now, "updated_at": now, "resend_at": None}
    with transaction.atomic(savepoint=False):
        ids = [one.id for one in operations]
        if _end(ids=ids, attempt=operations[0].attempt, now=now, **_kept(changes)) != len(ids):
            return False
        if changes["state"] == OperationState.SUCCEEDED:
            step_rows.close_done(operations, now)
        else:
            step_rows.close_failed(operations, now, changes["error_code"], changes["detail"])
    for operation in operations:
        for name, value in {**changes, **ended}.items():
            setattr(operation, name, value)
    return True


def _ended(
    ids: list[str], attempt: int, now: datetime, **changes: Any
) -> tuple[QuerySet[Operation], dict[str, Any]]:
    rows = Operation.objects.filter(id__in=ids, state=OperationState.RUNNING, attempt=attempt)
    return rows, {**changes, "finished_at": now, "updated_at": now, "resend_at": None}


_end = KeptUpdate(_ended)


def _kept(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Json(value) if name == "trace" else str(value) for name, value in changes.items()}


def supersede(instance_uuids: Collection[str], action: str, now: datetime) -> int:
    """Close whatever runs on the instances in favour of another action; return how many that were."""
    rows = Operation.objects.filter(instance_uuid__in=instance_uuids, state=OperationState.RUNNING)
    closed = list(rows.only("id", "attempt"))
    if not closed:
        return 0
    message = f"Superseded by {action}."
    count = rows.filter(id__in=[one.id for one in closed]).update(
        state=OperationState.FAILED, error_code=ErrorCode.SUPERSEDED, message=message, finished_at=now, updated_at=now,
        resend_at=None,
    )
    step_rows.close_failed(closed, now, ErrorCode.SUPERSEDED, message)
    return count
