"""Reading hypervisors: what hosts report, and what placement has promised of them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, Sum

from cloud.compute.errors import HostNotFound
from cloud.compute.models import ComputeNode, Instance, Service
from cloud.compute.selectors.services import COMPUTE, ServiceRow, compute_services
from cloud.core.errors import Invalid, NotFound
from cloud.placement.models import Allocation, Inventory

_CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")


@dataclass(frozen=True)
class Hypervisor:
    """A hypervisor with its service. `used`: promised to guests, or kept back for the host, by resource class."""

    node: ComputeNode
    service: ServiceRow
    used: dict[str, int] = field(default_factory=dict)


def list_hypervisors(
    pattern: str = "", limit: int | None = None, marker: ComputeNode | None = None
) -> list[Hypervisor]:
    """Return hypervisors by id, those without a service left out. Four queries for any number.

    Args:
        pattern: what their host names hold.
        limit: at most so many.
        marker: those behind this one.
    """
    rows = ComputeNode.objects.filter(host__in=Service.objects.filter(binary=COMPUTE).values("host"))
    if pattern:
        rows = rows.filter(hypervisor_hostname__icontains=pattern)
    if marker is not None:
        rows = rows.filter(id__gt=marker.id)
    nodes = list(rows.order_by("id")[:limit])
    hosts = None if limit is None and not pattern else [node.host for node in nodes]
    services, used = compute_services(hosts), used_by_host(hosts)
    return [Hypervisor(node, services[node.host], used[node.host]) for node in nodes]


def matching_hypervisors(pattern: str) -> list[Hypervisor]:
    """Return the hypervisors whose names hold a text.

    Raises:
        NotFound: there are none.
    """
    found = list_hypervisors(pattern)
    if not found:
        raise NotFound(f"No hypervisor matching '{pattern}' could be found.")
    return found


def get_hypervisor(node_id: str, *, by_uuid: bool) -> Hypervisor:
    """Return a hypervisor by its uuid or its number.

    Raises:
        NotFound
    """
    node = _node(node_id, by_uuid=by_uuid)
    service = compute_services([node.host]).get(node.host) if node else None
    if node is None or service is None:
        raise NotFound(f"Hypervisor with ID '{node_id}' could not be found.")
    return Hypervisor(node, service, used_by_host([node.host])[node.host])


def marker_node(marker: str, *, by_uuid: bool) -> ComputeNode:
    """Return the row that a marker names.

    Raises:
        Invalid: there is none.
    """
    node = _node(marker, by_uuid=by_uuid)
    if node is None:
        raise Invalid(f"marker [{marker}] not found")
    return node


def node_of(host: str) -> ComputeNode:
    """Return the hypervisor of a host.

    Raises:
        HostNotFound
    """
    node = ComputeNode.objects.filter(host=host).first()
    if node is None:
        raise HostNotFound(host=host)
    return node


def used_by_host(hosts: Collection[str] | None) -> dict[str, dict[str, int]]:
    """Return what is promised of each host, or kept back there, by resource class. One query."""
    rows = Inventory.objects.filter(resource_class__in=_CLASSES)
    if hosts is not None:
        rows = rows.filter(provider__name__in=list(hosts))
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_CLASSES, 0))
    for host, name, used, reserved in rows.values_list("provider__name", "resource_class", "used", "reserved"):
        found[host][name] = used + reserved
    return found


def servers_by_host(hosts: Collection[str]) -> dict[str, list[dict[str, str]]]:
    """Return name and uuid of the servers on each host. One query."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    rows = Instance.objects.filter(host__in=list(hosts), deleted=False).order_by("id").only("id", "uuid", "host")
    for instance in rows:
        found[instance.host].append({"name": instance.name, "uuid": instance.uuid})
    return found


def promised_by_project(host: str) -> dict[str, dict[str, int]]:
    """Return what each project holds of a host, by resource class. One query."""
    rows = Allocation.objects.filter(provider__name=host).values("project_id", "resource_class")
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_CLASSES, 0))
    for row in rows.annotate(held=Sum("used")).order_by("project_id"):
        found[row["project_id"]][row["resource_class"]] = row["held"]
    return found


def _node(node_id: str, *, by_uuid: bool) -> ComputeNode | None:
    if by_uuid:
        key: dict[str, Any] = {"uuid": node_id}
    elif node_id.isascii() and node_id.isdigit() and len(node_id) <= 18:
        key = {"id": int(node_id)}
    else:
        return None
    return ComputeNode.objects.filter(Q(**key)).first()
