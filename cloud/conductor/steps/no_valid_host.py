"""No host was found: a sentence for the owner, with numbers and without names, and the whole for operators."""

from cloud.compute import reasons
from cloud.compute.models import Operation
from cloud.conductor.steps import failing
from contracts.errors import ErrorCode
from contracts.scheduling import Selected


def explain(selected: Selected) -> str:
    """Return the sentence for the owner; see `reasons.explain`."""
    return reasons.explain(reasons.of(selected))


def fail(operation: Operation, selected: Selected) -> None:
    """Close a build for which the scheduler found no host."""
    message = explain(selected)
    if operation.hosts_tried:
        message = f"{message} {len(operation.hosts_tried)} tried before."
    detail = f"{selected.nearest_miss} tried: {', '.join(operation.hosts_tried) or 'none'}".strip()
    failing.fail_build(operation, ErrorCode.NO_VALID_HOST, message=message, detail=detail)
