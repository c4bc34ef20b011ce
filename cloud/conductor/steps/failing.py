"""What becomes of an operation when a step fails: another host, or an end with a reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, InstanceFault, Operation, Step
from cloud.compute.models.operations import OperationState
from cloud.compute.services import graphs, host_feed, operations, step_rows
from cloud.conductor.steps.orders import clean_up_order
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.networks.services import allocation
from cloud.placement.services import claims
from contracts.errors import RETRY_ELSEWHERE, TENANT_TEXT, ErrorCode

_MESSAGE_CHARACTERS = 2_000
Run = Callable[[Operation, str, str], None]


@dataclass(frozen=True)
class FailurePath:
    """What becomes of a workflow that fails.

    `goes_on_as`: workflows as which the same operation may go on, as its next attempt; none where it ends.
    """

    run: Run
    goes_on_as: tuple[str, ...] = ()


def fail(operation: Operation, code: str, detail: str = "") -> None:
    """Take the failure path of the operation's workflow, unless the operation was closed meanwhile."""
    _PATHS[operation.workflow].run(operation, code, detail)


def fail_spawn(operation: Operation, code: str, detail: str = "") -> None:
    """A host failed a build: try another if one may do better, else end."""
    if tries_again(operation, code):
        next_attempt(operation, code, detail, alternates=hosts_left(operation, code))
    else:
        fail_build(operation, code, detail=detail)


def tries_again(operation: Operation, code: str) -> bool:
    """Tell whether a build that a host failed may do better on another, or at another time."""
    tried = len(operation.hosts_tried) + 1
    return bool(operation.host) and code in RETRY_ELSEWHERE and tried < settings.MAX_BUILD_ATTEMPTS


def hosts_left(operation: Operation, code: str) -> list[str]:
    """Return where a build may go from its host, the best first."""
    # A host that refused what came late is none the worse for what is sent now.
    again = [operation.host] if code == ErrorCode.ORDER_REFUSED else []
    return [*again, *operation.alternates]


@transaction.atomic
def next_attempt(operation: Operation, code: str, detail: str, *, alternates: Sequence[str]) -> None:
    """Take the instance off its host and begin the next attempt, at the claim where alternates are left.

    What the failed attempt made on the host is removed by an order that nobody waits for.
    """
    now = database_now()
    failed_host = operation.host
    freed = claims.release([operation.instance_uuid]) if failed_host else []
    rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
    if not states.machine.fire(rows, "reschedule", host="", node="", updated_at=now):
        transaction.set_rollback(True)  # deleted meanwhile: the delete cleans up
        return
    host_feed.publish(freed)
    if failed_host:
        allocation.bind(operation.instance_uuid, "")
        rpc.cast(clean_up_order(operation, now))
    first = graphs.CLAIM if alternates else graphs.SELECT
    changes = {
        "attempt": operation.attempt + 1,
        "workflow": "build",
        "host": "",
        "hosts_tried": [*operation.hosts_tried, *([failed_host] if failed_host else [])],
        "alternates": list(alternates),
        "trace": operation.trace,
        "updated_at": now,
        **operations.due(graphs.TIMINGS["build", first], now),
    }
    running = Operation.objects.filter(id=operation.id, state=OperationState.RUNNING, attempt=operation.attempt)
    if not running.update(**changes):
        transaction.set_rollback(True)
        return
    step_rows.close_failed([operation], now, code, detail)
    for name, value in changes.items():
        setattr(operation, name, value)
    step_rows.plan([operation], now, first=first)
    rpc.launch("build", [operation.id])


def fail_build(operation: Operation, code: str, *, message: str = "", detail: str = "") -> None:
    """End a build: the instance goes to ERROR with its reason, holds nothing and is on no host."""
    with transaction.atomic():
        now = database_now()
        freed = claims.release([operation.instance_uuid])
        allocation.release([operation.instance_uuid])
        rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
        if not states.machine.fire(rows, "build_failed", host="", node="", updated_at=now):
            transaction.set_rollback(True)  # deleted meanwhile: the delete gives back what is held
            return
        text = message or _build_text(operation, code)
        record_fault(operation, text, detail)
        if not operations.fail(operation, code, text, detail):
            transaction.set_rollback(True)
            return
        if operation.host:
            rpc.cast(clean_up_order(operation, now))
        host_feed.publish(freed)


def _build_text(operation: Operation, code: str) -> str:
    text = TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])
    tried = len(operation.hosts_tried) + bool(operation.host)
    return f"Build failed on {tried} hosts, the last time because: {text}" if tried > 1 else f"Build failed: {text}"


def record_fault(operation: Operation, message: str, detail: str = "") -> None:
    """Keep why an operation failed where clients of its server see it."""
    InstanceFault.objects.create(
        instance_uuid=operation.instance_uuid,
        message=message[:_MESSAGE_CHARACTERS],
        details="\n".join(part for part in (detail, f"host: {operation.host}" if operation.host else "") if part),
    )


def fail_power(operation: Operation, code: str, detail: str = "") -> None:
    """A host could not stop, start or reboot an instance."""
    text = f"{operation.action.capitalize()} failed: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"
    with transaction.atomic():
        end(operation, code, ("power_failed", "reboot_failed"), text, detail)


def fail_rebuild(operation: Operation, code: str, detail: str = "") -> None:
    """A host could not rebuild an instance, which keeps its image as well where the host was not told to begin."""
    text = f"Rebuild failed: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"
    with transaction.atomic():
        begun = Step.objects.filter(operation=operation, name=graphs.REBUILD, sends__gt=0)
        if "was" in operation.plan and not begun.exists():
            Instance.objects.filter(uuid=operation.instance_uuid, deleted=False).update(**operation.plan["was"])
        end(operation, code, ("rebuild_failed",), text, detail)


def end(operation: Operation, code: str, events: Sequence[str], text: str, detail: str) -> bool:
    """Close an operation as failed: the instance takes whichever of the events it may. In a transaction.

    Tell whether it was still running; if not, the transaction is rolled back.
    """
    rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
    now = database_now()
    for event in events:
        states.machine.fire(rows, event, updated_at=now)
    record_fault(operation, text, detail)
    is_ended = operations.fail(operation, code, text, detail)
    if not is_ended:
        transaction.set_rollback(True)
    return is_ended


def give_up(operation: Operation, detail: str) -> None:
    """Close an operation whose failure path cannot be gone either: its server is in ERROR.

    What it holds that it should not, the reconcilers of claims and ports find.
    """
    text = f"{operation.action.capitalize()} failed: {TENANT_TEXT[ErrorCode.POISON]}"
    with transaction.atomic():
        end(operation, ErrorCode.POISON, ("reset_error",), text, detail)


_PATHS: dict[str, FailurePath] = {
    "build": FailurePath(fail_spawn, ("build",)),
    "stop": FailurePath(fail_power),
    "start": FailurePath(fail_power),
    "reboot": FailurePath(fail_power),
    "rebuild": FailurePath(fail_rebuild),
}


def register(workflow: str, path: Run, *, goes_on_as: tuple[str, ...] = ()) -> None:
    """Name the failure path of a workflow whose steps stand above these."""
    _PATHS[workflow] = FailurePath(path, goes_on_as)


def paths() -> Mapping[str, FailurePath]:
    """Return the failure path of every workflow."""
    return _PATHS
