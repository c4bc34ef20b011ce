"""No host was found: a sentence for the owner, with numbers and without names, and the whole for operators."""

from typing import Any

from cloud.compute.models import Operation
from cloud.conductor.steps import failing
from contracts.errors import TENANT_TEXT, ErrorCode
from contracts.scheduling import Selected

PHRASES = {
    "EnabledFilter": "enabled",
    "UpFilter": "up",
    "SoundFilter": "able to take servers",
    "RequestedHostFilter": "as requested",
    "IgnoreHostsFilter": "not tried before",
    "AvailabilityZoneFilter": "in the availability zone",
    "RamFilter": "with enough memory",
    "VcpuFilter": "with enough vCPUs",
    "DiskFilter": "with enough disk",
    "ImagePropertiesFilter": "fit for the image",
    "TraitsFilter": "with the required traits",
    "SameHostFilter": "with the named servers",
    "DifferentHostFilter": "without the named servers",
    "AffinityFilter": "with the server group",
    "AntiAffinityFilter": "free of the server group",
}
_ALWAYS_TOLD = ("EnabledFilter", "UpFilter")


def explain(selected: Selected) -> str:
    """Return how many hosts each filter left, up to the one that left none.

    Example: `No valid host was found. 20 hosts: 20 enabled, 20 up, 3 with enough memory, 0 with enough disk.`
    """
    text = TENANT_TEXT[ErrorCode.NO_VALID_HOST]
    if not selected.hosts_total:
        return f"{text} There are no hosts."
    told = []
    for row in selected.trace:
        if row.filter in _ALWAYS_TOLD or row.hosts_out < row.hosts_in:
            told.append(f"{row.hosts_out} {PHRASES.get(row.filter, row.filter)}")
        if not row.hosts_out:
            break
    counted = f"{selected.hosts_total} host{'' if selected.hosts_total == 1 else 's'}"
    return f"{text} {counted}: {', '.join(told)}." if told else f"{text} {counted}."


def trace_of(selected: Selected) -> dict[str, Any]:
    """Return the scheduler's reasons as an operation keeps them."""
    return {
        "hosts_total": selected.hosts_total,
        "filters": [row.to_wire() for row in selected.trace],
        "nearest_miss": selected.nearest_miss,
    }


def fail(operation: Operation, selected: Selected) -> None:
    """Close a build for which the scheduler found no host."""
    operation.trace = trace_of(selected)
    message = explain(selected)
    if operation.hosts_tried:
        message = f"{message} {len(operation.hosts_tried)} tried before."
    detail = f"{selected.nearest_miss} tried: {', '.join(operation.hosts_tried) or 'none'}".strip()
    failing.fail_build(operation, ErrorCode.NO_VALID_HOST, message=message, detail=detail)
