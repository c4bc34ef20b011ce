"""The steps of a build that follow a host's answers."""

import logging
from collections.abc import Sequence

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs, operations, step_rows
from cloud.conductor.steps.hearing import heard
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.kept import KeptUpdate
from cloud.networks.services import allocation
from contracts.compute import ServerSpawned
from contracts.envelope import Outcome

_log = logging.getLogger(__name__)
_spawning = KeptUpdate(
    lambda uuid, host, now: states.machine.as_update(
        Instance.objects.filter(uuid=uuid, host=host, deleted=False), "spawn", updated_at=now
    )
)
_gone_on = KeptUpdate(
    lambda id, attempt, now, **due: (  # noqa: A006 - the column's name
        Operation.objects.filter(id=id, state=OperationState.RUNNING, attempt=attempt), {"updated_at": now, **due}
    )
)
_activated = KeptUpdate(
    lambda uuid, host, power_state, now: states.machine.as_update(
        Instance.objects.filter(uuid=uuid, host=host, deleted=False), "activate",
        power_state=power_state, launched_at=now, updated_at=now, progress=100,
    )
)


def begin_spawn(outcomes: Sequence[Outcome], operation_id: str, attempt: int) -> None:
    """Go on to the guest when its host is ready; stop here if the server was deleted or moved on meanwhile."""
    for operation in heard(outcomes, operation_id, attempt):
        _begin(operation)


def _begin(operation: Operation) -> None:
    with transaction.atomic():
        now = database_now()
        due = operations.due(graphs.TIMINGS["build", graphs.SPAWN], now)
        is_on = _spawning(uuid=operation.instance_uuid, host=operation.host, now=now) and _gone_on(
            id=operation.id, attempt=operation.attempt, now=now, **due
        )
        if not is_on:
            transaction.set_rollback(True)
            return
        ready = {graphs.PREPARE_IMAGE: StepState.DONE, graphs.PLUG_VIFS: StepState.DONE, graphs.SPAWN: StepState.SENT}
        step_rows.move([operation], ready, now)
        rpc.launch("build", [operation.id])


def finish_spawn(outcome: ServerSpawned, operation_id: str, attempt: int) -> None:
    """Make the server ACTIVE, or take the failure path. A host's word counts for what is placed on it only."""
    for operation in heard([outcome], operation_id, attempt):
        _activate(operation, outcome.power_state)


def _activate(operation: Operation, power_state: int) -> None:
    with transaction.atomic():
        now = database_now()
        is_active = _activated(uuid=operation.instance_uuid, host=operation.host, power_state=power_state, now=now)
        if not (is_active and operations.finish(operation)):
            transaction.set_rollback(True)
            return
        allocation.set_active(operation.instance_uuid)
