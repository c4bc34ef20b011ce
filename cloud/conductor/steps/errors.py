"""What to do when a step of the control plane raised: the database may be away for a moment, so it is tried again."""

import logging
from collections.abc import Sequence

from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import StepState
from cloud.compute.services import operations, row_locks
from cloud.conductor.steps import failing
from contracts.errors import ErrorCode

_log = logging.getLogger(__name__)
MAX_SENDS = 3


def step_raised(failed_task_id: str, operation_ids: Sequence[str], attempt: int) -> None:
    """Have the operations' current steps sent again soon; give up on those that were sent `MAX_SENDS` times."""
    _log.warning("task %s of operations %s failed", failed_task_id, operation_ids)
    running = operations.running(operation_ids, attempt)
    rows = Step.objects.filter(operation__in=running, attempt=attempt, state=StepState.SENT, sends__gte=MAX_SENDS)
    spent = set(rows.values_list("operation_id", flat=True))
    for operation in running:
        if operation.id in spent:
            failing.fail(operation, ErrorCode.INTERNAL, f"task {failed_task_id} failed; see the log of its worker")
    again = [one.id for one in running if one.id not in spent]
    row_locks.send_soon(Operation.objects.filter(id__in=again, attempt=attempt))
