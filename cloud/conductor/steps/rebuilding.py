"""The steps of a rebuild that follow a host's answers."""

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs, operations, step_rows
from cloud.conductor.steps.hearing import heard
from cloud.core import rpc
from cloud.core.clock import database_now
from contracts.compute import ImagePrepared, PowerChanged


def begin_rebuild(outcome: ImagePrepared, operation_id: str, attempt: int) -> None:
    """Go on to the guest when the image is on its host; stop here if the server was deleted meanwhile."""
    for operation in heard([outcome], operation_id, attempt):
        _begin(operation)


def _begin(operation: Operation) -> None:
    with transaction.atomic():
        now = database_now()
        rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
        running = Operation.objects.filter(id=operation.id, state=OperationState.RUNNING, attempt=operation.attempt)
        is_on = states.machine.fire(rows, "rebuild_spawn", updated_at=now) and running.update(
            updated_at=now, **operations.due(graphs.TIMINGS["rebuild", graphs.REBUILD], now)
        )
        if not is_on:
            transaction.set_rollback(True)
            return
        step_rows.move([operation], {graphs.PREPARE_IMAGE: StepState.DONE, graphs.REBUILD: StepState.SENT}, now)
        rpc.launch("rebuild", [operation.id])


def finish_rebuild(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """Let the server be ACTIVE, or SHUTOFF if it was before; or say why it is in ERROR."""
    for operation in heard([outcome], operation_id, attempt):
        _finish(operation, outcome.power_state)


def _finish(operation: Operation, power_state: int) -> None:
    with transaction.atomic():
        now = database_now()
        rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
        changes = {"power_state": power_state, "launched_at": now, "updated_at": now, "progress": 100}
        if not (states.machine.fire(rows, "rebuilt", **changes) and operations.finish(operation)):
            transaction.set_rollback(True)
