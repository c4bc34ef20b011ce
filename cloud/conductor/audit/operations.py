"""Invariants of operations: each has an owner, an end, and is the only one of its instance."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Exists, F, OuterRef, Q

from cloud.compute import states
from cloud.compute.models import Instance, Operation, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.conductor.audit.findings import Finding
from cloud.conductor.doctor.checks import mend
from cloud.core.clock import database_now

_GRACE_SECONDS = 30.0
_OPEN = (StepState.PENDING, StepState.SENT)


def owned(number: str) -> Iterator[Finding]:
    """Every running operation is in the reconciler's queue, and nobody let it wait past its turn."""
    oldest = database_now() - timedelta(seconds=_GRACE_SECONDS)
    lost = Q(resend_at=None) | Q(resend_at__lt=oldest) | Q(deadline__lt=oldest)
    for operation in Operation.objects.filter(lost, state=OperationState.RUNNING):
        command = mend(operation.instance_uuid, "end" if operation.deadline < oldest else "resend")
        yield Finding(number, f"operation {operation.id}", f"{operation} runs and nobody moves it on", command)


def transient(number: str) -> Iterator[Finding]:
    """No server is in a transitional state without an operation that will end it."""
    running = Operation.objects.filter(instance_uuid=OuterRef("uuid"), state=OperationState.RUNNING)
    stuck = Instance.objects.filter(~Exists(running), deleted=False)
    for uuid, vm_state, task_state in stuck.filter(
        Q(task_state__in=states.TRANSIENT) | Q(vm_state=states.BUILDING)
    ).values_list("uuid", "vm_state", "task_state"):
        text = f"is {vm_state}/{task_state or 'idle'} and no operation will end that"
        yield Finding(number, f"server {uuid}", text, mend(uuid, "settle"))


def closed(number: str) -> Iterator[Finding]:
    """Every operation has a beginning and an end or is open, and so have its steps."""
    endless = Operation.objects.filter(finished_at=None).exclude(state=OperationState.RUNNING)
    for operation in endless:
        text = f"{operation} is {operation.state} without an end"
        yield Finding(number, f"operation {operation.id}", text, mend(operation.instance_uuid, "close"))
    left = Step.objects.select_related("operation").filter(state__in=_OPEN).filter(
        ~Q(operation__state=OperationState.RUNNING) | Q(attempt__lt=F("operation__attempt"))
    )
    for step in left:
        text = f"step {step.name} is {step.state} for ever"
        yield Finding(number, f"operation {step.operation_id}", text, mend(step.operation.instance_uuid, "close"))
    sent = Step.objects.filter(operation=OuterRef("pk"), attempt=OuterRef("attempt"), state=StepState.SENT)
    for operation in Operation.objects.filter(~Exists(sent), state=OperationState.RUNNING):
        text = f"{operation} runs without a step under way"
        yield Finding(number, f"operation {operation.id}", text, mend(operation.instance_uuid, "resend"))


def remembered(number: str) -> Iterator[Finding]:
    """Every server has the operation that made it, under the id of its request."""
    made = Operation.objects.filter(instance_uuid=OuterRef("uuid"), action="create").exclude(request_id="")
    for uuid in Instance.objects.filter(~Exists(made), deleted=False).values_list("uuid", flat=True):
        yield Finding(number, f"server {uuid}", "nothing is known of the request that made it", mend(uuid, "remember"))


def single(number: str) -> Iterator[Finding]:
    """A request has one effect: no server has two operations at the same time, nor was made twice."""
    rows = Operation.objects.values("instance_uuid").annotate(
        running=Count("id", filter=Q(state=OperationState.RUNNING)), made=Count("id", filter=Q(action="create"))
    )
    for row in rows.filter(Q(running__gt=1) | Q(made__gt=1)):
        uuid = row["instance_uuid"]
        if row["running"] > 1:
            yield Finding(number, f"server {uuid}", "has two operations at the same time", mend(uuid, "end"))
        if row["made"] > 1:
            yield Finding(number, f"server {uuid}", "was made twice", f"manage.py server_show {uuid}")
