"""An order that a host refused to begin is given again, as of now: a refusal tells of the order, not of the host.

A host refuses what was sent before a long silence of its own, as all are silent while the broker is away, and what it
may have carried out before it lost its record. Nothing was begun then, so neither the attempt grows nor does the host
count as tried.
"""

import logging
from datetime import timedelta

from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs
from cloud.core.clock import database_now
from contracts.envelope import Outcome
from contracts.errors import ErrorCode

_log = logging.getLogger(__name__)
# With the pauses below this is two minutes: whoever refuses for longer does so for a reason that lasts.
_MOST_SENDS = 8
_LONGEST_PAUSE_SECONDS = 30.0


def give_again(operation: Operation, outcome: Outcome) -> bool:
    """Have a refused order sent once more in a moment, with a deadline of its own; tell whether it will be."""
    if outcome.error_code != ErrorCode.ORDER_REFUSED:
        return False
    steps = Step.objects.filter(operation=operation, attempt=operation.attempt, state=StepState.SENT)
    sent = {step.name: step.sends for step in steps}
    if not sent or max(sent.values()) >= _MOST_SENDS:
        return False
    now = database_now()
    deadline = now + timedelta(
        seconds=max(graphs.TIMINGS[operation.workflow, name].deadline_seconds for name in sent)
    )
    pause = min(2.0 ** max(sent.values()), _LONGEST_PAUSE_SECONDS)
    running = Operation.objects.filter(id=operation.id, state=OperationState.RUNNING, attempt=operation.attempt)
    if not running.update(deadline=deadline, resend_at=now + timedelta(seconds=pause), updated_at=now):
        return False
    steps.update(deadline=deadline)
    _log.warning(
        "host %r refused %s of %s, giving it again in %.0f s: %s",
        operation.host, ", ".join(sent), operation.id, pause, outcome.detail,
    )  # fmt: skip
    return True
