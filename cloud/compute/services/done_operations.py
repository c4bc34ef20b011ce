"""Operations that are over when they are recorded: nothing is ordered, yet it belongs among a server's actions."""

from collections.abc import Sequence
from datetime import datetime

from cloud.compute.models import Instance, Operation, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.core.context import RequestContext, new_request_id
from cloud.core.models import new_uuid


def record(
    instances: Sequence[Instance], action: str, step: str, now: datetime, *,
    context: RequestContext | None = None, message: str = "",
) -> None:  # fmt: skip
    """Record what was done to each of the instances, as an operation of one step. In the caller's transaction.

    Args:
        instances: rows with uuid, project and host.
        action: Nova's name of it.
        step: of `cloud.compute.services.graphs`.
        now: by the database's clock.
        context: who asked; None where nobody did.
        message: for the owner.
    """
    operations = [
        Operation(
            id=new_uuid(), instance_uuid=one.uuid, host=one.host, action=action, workflow=action,
            project_id=(context.project_id if context else "") or one.project_id,
            user_id=context.user_id if context else "",
            request_id=context.request_id if context else new_request_id(),
            state=OperationState.SUCCEEDED, message=message, started_at=now, updated_at=now, deadline=now,
            finished_at=now,
        )
        for one in instances
    ]  # fmt: skip
    Operation.objects.bulk_create(operations)
    Step.objects.bulk_create(
        Step(
            operation=one, position=0, name=step, attempt=1, host=one.host, state=StepState.DONE, detail=message,
            started_at=now, finished_at=now,
        )
        for one in operations
    )  # fmt: skip
