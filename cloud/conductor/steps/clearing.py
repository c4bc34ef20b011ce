"""A build leaves a host that may have begun its guest: the next host is tried when this one said that nothing is left.

A host that is silent for long enough counts as dead, as it does everywhere.
"""

from django.db import transaction

from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import StepState
from cloud.compute.services import graphs, operations, row_locks, step_rows
from cloud.conductor.steps import deleting, failing, undoing
from cloud.conductor.steps.hearing import is_from_its_host
from cloud.core.clock import database_now
from contracts.compute import ServerDestroyed

WORKFLOW = "clear_host"
_WHY = "failed"


def fail_spawn(operation: Operation, code: str, detail: str = "") -> None:
    """A host failed a build: another may do better, but not before this one has let go of the guest."""
    if failing.tries_again(operation, code) and _may_have_guest(operation):
        _clear(operation, code, detail)
    else:
        failing.fail_spawn(operation, code, detail)


def _may_have_guest(operation: Operation) -> bool:
    ordered = Step.objects.filter(operation=operation, attempt=operation.attempt, name=graphs.SPAWN, sends__gt=0)
    return ordered.exists() and not deleting.is_host_away(operation.host)


@transaction.atomic
def _clear(operation: Operation, code: str, detail: str) -> None:
    """Go on as the clearing of the host, as the next attempt: what the last one ordered is refused from then on."""
    row_locks.hold(operation)
    now = database_now()
    step_rows.close_failed([operation], now, code, detail)
    plan = {**operation.plan, _WHY: {"code": str(code), "detail": detail}}
    undoing.renew(operation, now, workflow=WORKFLOW, first=graphs.DESTROY, plan=plan)


def finish_clearing(outcome: ServerDestroyed, operation_id: str, attempt: int) -> None:
    """Try the next host when the last one has nothing left. A failure is left to be sent again until its deadline."""
    for operation in operations.enter([operation_id], attempt):
        if not is_from_its_host(outcome, operation):
            continue
        if outcome.is_failure:
            deleting.keep_reason(operation, outcome)
        else:
            with transaction.atomic():
                row_locks.hold(operation)
                step_rows.move([operation], {graphs.DESTROY: StepState.DONE}, database_now())
                go_on(operation)


def go_on(operation: Operation) -> None:
    """Build on another host, for the reason for which this one was left."""
    why = operation.plan[_WHY]
    failing.next_attempt(operation, why["code"], why["detail"], alternates=failing.hosts_left(operation, why["code"]))


def fail_clearing(operation: Operation, code: str, detail: str = "") -> None:
    """A host did not let go: a dead one is left alone; on a living one a guest may come up, so there is no other."""
    if deleting.is_host_away(operation.host):
        go_on(operation)
        return
    why = operation.plan[_WHY]
    failing.fail_build(operation, why["code"], detail=f"{why['detail']} | the host could not be cleared: {detail}")


failing.register("build", fail_spawn, goes_on_as=("build", WORKFLOW))
failing.register(WORKFLOW, fail_clearing, goes_on_as=("build",))
