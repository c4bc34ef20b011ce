"""No host was found: a sentence for the owner, with numbers and without names, and the whole for operators."""

from cloud.compute import reasons
from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import StepState
from cloud.conductor.steps import failing
from contracts.errors import TENANT_TEXT, ErrorCode
from contracts.scheduling import Selected


def explain(selected: Selected) -> str:
    """Return the sentence for the owner; see `reasons.explain`."""
    return reasons.explain(reasons.of(selected))


def fail(operation: Operation, selected: Selected) -> None:
    """Close a build for which the scheduler found no host. Where it was tried before, that says why as well."""
    message, tried = explain(selected), ", ".join(operation.hosts_tried) or "none"
    last = Step.objects.filter(operation=operation, state=StepState.FAILED).order_by("-attempt").first()
    if operation.hosts_tried:
        message = f"{message} {len(operation.hosts_tried)} tried before."
    if operation.hosts_tried and last:
        message = f"{message} There: {TENANT_TEXT.get(last.error_code, TENANT_TEXT[ErrorCode.INTERNAL])}"
        tried = f"{tried} ({last.error_code}: {last.detail})"
    detail = f"{selected.nearest_miss} tried: {tried}".strip()
    failing.fail_build(operation, ErrorCode.NO_VALID_HOST, message=message, detail=detail)
