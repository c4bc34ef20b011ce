"""The correct path: whatever the fast path lost is found here and goes on, or ends.

Two of these at the same time do no harm: each operation is taken by a compare-and-swap on the time at which it was due.
"""

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import F, Max, Q

from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs
from cloud.conductor.steps import failing
from cloud.core import rpc
from cloud.core.clock import database_now
from contracts.errors import ErrorCode

_log = logging.getLogger(__name__)
_AT_ONCE = 200
_LONGEST_SECONDS = 120.0


def reconcile() -> None:
    """Send again the current steps of operations that nobody moved on; end those past their deadlines."""
    now = database_now()
    _end_overdue(now)
    _send_again(now)


def _end_overdue(now: datetime) -> None:
    overdue = Operation.objects.filter(state=OperationState.RUNNING, deadline__lte=now)
    for operation in overdue.order_by("deadline")[:_AT_ONCE]:
        seconds = (now - operation.updated_at).total_seconds()
        try:
            failing.fail(operation, ErrorCode.DEADLINE_EXCEEDED, f"nothing was heard for {seconds:.0f} s")
        except Exception:  # noqa: BLE001 - logged; one operation must not keep the others
            _log.exception("operation %s could not be ended; trying again", operation.id)


def _send_again(now: datetime) -> None:
    due = Operation.objects.filter(Q(resend_at__lte=now), state=OperationState.RUNNING, deadline__gt=now)
    found = list(due.order_by("resend_at")[:_AT_ONCE])
    if not found:
        return
    sent = _under_way(found)
    taken: dict[str, list[str]] = defaultdict(list)
    for operation in found:
        names, sends = sent.get((operation.id, operation.attempt), (set(), 1))
        if _take(operation, now, _pause(operation, names, sends)):
            Step.objects.filter(
                operation=operation, attempt=operation.attempt, state=StepState.SENT
            ).update(sends=F("sends") + 1)
            taken[operation.workflow].append(operation.id)
    for workflow, ids in taken.items():
        _log.info("sending again: %s of %s", workflow, ", ".join(ids))
        _launch(workflow, ids)


def _launch(workflow: str, ids: list[str]) -> None:
    """Send what can be sent: an operation that cannot be launched must not keep the others."""
    try:
        rpc.launch_now(workflow, ids)
    except Exception:  # noqa: BLE001 - logged; see above
        _log.exception("%s of %s cannot be launched", workflow, ids)
        if len(ids) > 1:
            for one in ids:
                _launch(workflow, [one])


def _under_way(found: list[Operation]) -> dict[tuple[str, int], tuple[set[str], int]]:
    """Names of the steps under way, and how often they were sent, by operation and attempt."""
    rows = Step.objects.filter(operation__in=found, state=StepState.SENT)
    counted = rows.values("operation_id", "attempt", "name").annotate(most=Max("sends"))
    sent: dict[tuple[str, int], tuple[set[str], int]] = {}
    for row in counted:
        names, most = sent.get((row["operation_id"], row["attempt"]), (set(), 1))
        sent[row["operation_id"], row["attempt"]] = (names | {row["name"]}, max(most, row["most"]))
    return sent


def _pause(operation: Operation, names: set[str], sends: int) -> float:
    """Longer with every time: what is slow, or waits behind a burst of others, is not helped by more messages."""
    first = graphs.GRAPHS[operation.workflow][0].name
    base = max(graphs.TIMINGS[operation.workflow, name].resend_seconds for name in names or {first})
    return float(min(base * 2**sends, max(_LONGEST_SECONDS, base)))


def _take(operation: Operation, now: datetime, pause_seconds: float) -> bool:
    rows = Operation.objects.filter(
        id=operation.id, state=OperationState.RUNNING, attempt=operation.attempt, resend_at__lte=now
    )
    return bool(rows.update(resend_at=now + timedelta(seconds=pause_seconds)))
