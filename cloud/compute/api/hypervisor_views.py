"""Hypervisors as operators see them."""

import json
from collections.abc import Iterable
from typing import Any

from cloud.compute.selectors.hypervisors import Hypervisor
from cloud.core.microversions import Version, version

CPU_OBJECT = version("2.28")
UUIDS = version("2.53")
ALWAYS_SERVERS = version("2.75")
NO_STATISTICS = version("2.88")


def brief(number: Version, found: Hypervisor) -> dict[str, Any]:
    """Return the short view."""
    return {
        "id": found.node.uuid if number >= UUIDS else found.node.id,
        "hypervisor_hostname": found.node.hypervisor_hostname,
        "state": found.service.state,
        "status": found.service.status,
    }


def full(number: Version, found: Hypervisor) -> dict[str, Any]:
    """Return the whole view."""
    node, service = found.node, found.service
    view = brief(number, found) | {
        "hypervisor_type": node.hypervisor_type,
        "hypervisor_version": node.hypervisor_version,
        "host_ip": node.host_ip,
        "service": {
            "id": service.uuid if number >= UUIDS else service.id,
            "host": node.host,
            "disabled_reason": service.disabled_reason,
        },
    }
    if number >= NO_STATISTICS:
        return view | {"uptime": node.uptime_text or None}
    cpu_info = node.cpu_info if number >= CPU_OBJECT else json.dumps(node.cpu_info)
    return view | _figures(found) | {"cpu_info": cpu_info}


def statistics(found: Iterable[Hypervisor]) -> dict[str, int]:
    """Return the sums over hypervisors."""
    figures = [_figures(one) for one in found]
    names = _FIGURES if not figures else tuple(figures[0])
    return {"count": len(figures), **{name: sum(one[name] for one in figures) for name in names}}


_FIGURES = (
    "vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used", "free_ram_mb", "free_disk_gb",
    "current_workload", "running_vms", "disk_available_least",
)  # fmt: skip


def _figures(found: Hypervisor) -> dict[str, int]:
    node, used = found.node, found.used
    return dict(zip(_FIGURES, (
        node.vcpus, node.memory_mb, node.disk_gb, used["VCPU"], used["MEMORY_MB"], used["DISK_GB"],
        node.memory_mb - used["MEMORY_MB"], node.disk_gb - used["DISK_GB"], 0, node.running_vms, node.disk_gb_free,
    ), strict=True))  # fmt: skip
