"""The steps of a build that follow a host's answers."""

import functools
import operator
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs, operations, step_rows
from cloud.conductor.steps.hearing import heard
from cloud.conductor.steps.together import InGroups, lock_in_order
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.kept import KeptUpdate
from cloud.networks.services import allocation
from contracts.compute import ServerSpawned
from contracts.envelope import Outcome

_spawning = KeptUpdate(
    lambda uuids, hosts, now: states.machine.as_update(_on_their_hosts(uuids, hosts), "spawn", updated_at=now)
)
_gone_on = KeptUpdate(
    lambda ids, attempt, now, **due: (
        Operation.objects.filter(id__in=ids, state=OperationState.RUNNING, attempt=attempt), {"updated_at": now, **due}
    )
)
_activated = KeptUpdate(
    lambda uuids, hosts, power_state, now: states.machine.as_update(
        _on_their_hosts(uuids, hosts), "activate",
        power_state=power_state, launched_at=now, updated_at=now, progress=100,
    )
)


def _on_their_hosts(uuids: Sequence[str], hosts: Sequence[str]) -> QuerySet[Instance]:
    pairs = (Q(uuid=uuid, host=host) for uuid, host in zip(uuids, hosts, strict=True))
    return Instance.objects.filter(functools.reduce(operator.or_, pairs), deleted=False)


def begin_spawn(outcomes: Sequence[Outcome], operation_id: str, attempt: int) -> None:
    """Go on to the guest when its host is ready; stop here if the server was deleted or moved on meanwhile."""
    for operation in heard(outcomes, operation_id, attempt):
        _begin(operation)


def begin_all(group: Sequence[Operation]) -> bool:
    """Go on with builds of one attempt, all of them; else change nothing and return False."""
    with transaction.atomic():
        lock_in_order(group)
        now, ids = database_now(), [one.id for one in group]
        due = operations.due(graphs.TIMINGS["build", graphs.SPAWN], now)
        spawning = _spawning(uuids=[one.instance_uuid for one in group], hosts=[one.host for one in group], now=now)
        if spawning != len(group) or _gone_on(ids=ids, attempt=group[0].attempt, now=now, **due) != len(group):
            transaction.set_rollback(True)
            return False
        ready = {graphs.PREPARE_IMAGE: StepState.DONE, graphs.PLUG_VIFS: StepState.DONE, graphs.SPAWN: StepState.SENT}
        step_rows.move(group, ready, now)
        rpc.launch("build", ids)
    return True


_begin = InGroups(begin_all)


def finish_spawn(outcome: ServerSpawned, operation_id: str, attempt: int) -> None:
    """Make the server ACTIVE, or take the failure path. A host's word counts for what is placed on it only."""
    for operation in heard([outcome], operation_id, attempt):
        _activate(operation, outcome.power_state)


def activate_all(group: Sequence[Operation], power_state: int) -> bool:
    """Close builds of one attempt, all of them; else change nothing and return False."""
    uuids = [one.instance_uuid for one in group]
    with transaction.atomic():
        lock_in_order(group)
        now = database_now()
        active = _activated(uuids=uuids, hosts=[one.host for one in group], power_state=power_state, now=now)
        if active != len(group) or not operations.finish_all(group):
            transaction.set_rollback(True)
            return False
        allocation.set_active(*uuids)
    return True


_activate = InGroups(activate_all)
