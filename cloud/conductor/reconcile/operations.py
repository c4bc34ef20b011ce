"""The correct path: whatever the fast path lost is found here and goes on, or ends.

Two of these at the same time do no harm: each operation is taken by a compare-and-swap on the time at which it was due.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs, tries
from cloud.conductor.reconcile import listening
from cloud.conductor.steps import failing
from cloud.core import rpc
from cloud.core.clock import database_now
from contracts.errors import ErrorCode

_log = logging.getLogger(__name__)
_AT_ONCE = 200
_LONGEST_SECONDS = 120.0
_UNSUSPECTED = Q(begun=None) | Q(begun=0)
_NONE = Q(pk__in=())


def reconcile() -> None:
    """Send again the current steps of operations that nobody moved on; end those past their deadlines.

    What may take this process with it comes last, so that the others do not wait for it.
    """
    now = database_now()
    overdue = _NONE if listening.has_lapsed() else Q(deadline__lte=now)
    is_broker_there = _send_again(now)
    _end(overdue & _UNSUSPECTED, now)
    if is_broker_there:
        _send_again_one_by_one(now)
    # Not while the last try may be under way.
    _end(overdue & ~_UNSUSPECTED | Q(begun__gte=tries.MOST, resend_at__lte=now), now)


def _end(which: Q, now: datetime) -> None:
    due = Operation.objects.filter(which, state=OperationState.RUNNING)
    for operation in due.order_by("begun", "deadline")[:_AT_ONCE]:
        try:
            with tries.counted(operation):
                _end_one(operation, now)
        except Exception:  # noqa: BLE001 - logged; one operation must not keep the others
            _log.exception("operation %s could not be ended; trying again", operation.id)


def _end_one(operation: Operation, now: datetime) -> None:
    begun = operation.begun or 0
    if begun < tries.MOST:
        seconds = (now - operation.updated_at).total_seconds()
        failing.fail(operation, ErrorCode.DEADLINE_EXCEEDED, f"nothing was heard for {seconds:.0f} s")
        return
    _log.error("operation %s (%s) began %d times and never ended: giving it up", operation.id, operation, begun)
    detail = f"{begun} processes of the control plane died of it"
    if begun < 2 * tries.MOST:
        failing.fail(operation, ErrorCode.POISON, detail)
    else:
        failing.give_up(operation, f"{detail}, also of ending it")


def _due(now: datetime) -> QuerySet[Operation]:
    rows = Operation.objects.filter(Q(resend_at__lte=now), state=OperationState.RUNNING, deadline__gt=now)
    return rows.order_by("resend_at")


def _send_again(now: datetime) -> bool:
    """Send what was never sent again before; tell whether the broker takes anything."""
    found = list(_due(now).filter(begun=None)[:_AT_ONCE])
    sent = _under_way(found)
    taken: dict[str, list[str]] = defaultdict(list)
    for operation in found:
        if _take(operation, now, sent):
            taken[operation.workflow].append(operation.id)
    is_there = True
    for workflow, ids in taken.items():
        _log.info("sending again: %s of %s", workflow, ", ".join(ids))
        is_there &= _launch(workflow, ids)
    return is_there


def _send_again_one_by_one(now: datetime) -> None:
    """Send the others each by itself, counted, so that a death tells of whom it was.

    Of those that something died of already one is sent a round: no other shall die with it again.
    """
    found = list(_due(now).filter(begun__lt=tries.MOST).order_by("begun", "resend_at")[:_AT_ONCE])
    suspects = [one for one in found if one.begun]
    sent = _under_way(found)
    for operation in found:
        if operation in suspects[1:] or not _take(operation, now, sent):
            continue
        _log.info("sending again: %s of %s, %d tries never ended", operation.workflow, operation.id, operation.begun)
        with tries.counted(operation):
            is_there = _launch(operation.workflow, [operation.id])
        if not is_there:
            break  # the broker is away for the others too


def _launch(workflow: str, ids: list[str]) -> bool:
    """Send what can be sent; tell whether the broker took it. What cannot be launched must not keep the others."""
    try:
        return rpc.launch_now(workflow, ids)
    except Exception:  # noqa: BLE001 - logged; see above
        _log.exception("%s of %s cannot be launched", workflow, ids)
        return all(_launch(workflow, [one]) for one in ids) if len(ids) > 1 else True


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


def _take(operation: Operation, now: datetime, sent: Mapping[tuple[str, int], tuple[set[str], int]]) -> bool:
    names, sends = sent.get((operation.id, operation.attempt), (set(), 1))
    rows = Operation.objects.filter(
        id=operation.id, state=OperationState.RUNNING, attempt=operation.attempt, resend_at__lte=now
    )
    again_at = now + timedelta(seconds=_pause(operation, names, sends))
    if not rows.update(resend_at=again_at, begun=Coalesce(F("begun"), Value(0))):
        return False
    Step.objects.filter(operation=operation, attempt=operation.attempt, state=StepState.SENT).update(
        sends=F("sends") + 1
    )
    return True
