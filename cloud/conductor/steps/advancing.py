"""One step of an operation is done and the next is sent: state, rows and launch in one transaction, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs, operations, step_rows
from cloud.core import rpc
from cloud.core.clock import database_now


@dataclass(frozen=True)
class Advance:
    """What changes when an operation goes on.

    Attributes:
        done, sent: names of the steps that ended, and of those that are sent now.
        event: of the instance's states; empty where they stay.
        instance, operation: other columns of these.
        host: where the operation goes on; empty for where it is.
    """

    done: tuple[str, ...]
    sent: tuple[str, ...]
    event: str = ""
    instance: Mapping[str, Any] = field(default_factory=dict)
    host: str = ""
    skipped: tuple[str, ...] = ()
    operation: Mapping[str, Any] = field(default_factory=dict)


def advance(operation: Operation, change: Advance) -> bool:
    """Let an operation go on; tell whether it did, or was closed or moved on meanwhile and nothing changed."""
    with transaction.atomic():
        now = database_now()
        host = change.host or operation.host
        rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
        running = Operation.objects.filter(id=operation.id, state=OperationState.RUNNING, attempt=operation.attempt)
        due = operations.due(graphs.TIMINGS[operation.workflow, change.sent[0]], now)
        is_on = _change(rows, change, now) and running.update(host=host, updated_at=now, **due, **change.operation)
        if not is_on:
            transaction.set_rollback(True)
            return False
        operation.host = host
        step_rows.move(
            [operation],
            {
                **dict.fromkeys(change.done, StepState.DONE), **dict.fromkeys(change.skipped, StepState.SKIPPED),
                **dict.fromkeys(change.sent, StepState.SENT),
            },
            now,
        )  # fmt: skip
        Step.objects.filter(operation=operation, attempt=operation.attempt, name__in=change.sent).update(host=host)
        rpc.launch(operation.workflow, [operation.id])
    return True


def _change(rows: Any, change: Advance, now: Any) -> int:
    if change.event:
        return states.machine.fire(rows, change.event, updated_at=now, **change.instance)
    return int(rows.update(updated_at=now, **change.instance))
