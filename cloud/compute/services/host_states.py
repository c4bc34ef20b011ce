"""Hosts as the scheduler wants to see them, from a few queries for any number of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from cloud.compute.models import AggregateHost, ComputeNode, Service
from cloud.core.kept import Kept
from cloud.placement.models import Inventory, ProviderTrait, ResourceProvider
from cloud.placement.services.providers import DISK_GB, MEMORY_MB, VCPU
from contracts.scheduling import HostState

DEFAULT_ZONE = "nova"
COMPUTE = "nova-compute"
_COLUMNS = {VCPU: "vcpus", MEMORY_MB: "memory_mb", DISK_GB: "disk_gb"}


def host_states(hosts: Collection[str] | None = None) -> list[HostState]:
    """Return how hosts stand now; those that never reported are left out.

    Args:
        hosts: their names; None for all there are.
    """
    names = None if hosts is None else list(hosts)
    services = {row["host"]: row for row in _services(hosts=names)}
    nodes = {row["host"]: row for row in _nodes(hosts=names)}
    providers = _providers(names)
    memberships = _memberships(names)
    return [
        _state(services[host], nodes[host], providers[host], memberships[host])
        for host in sorted(services.keys() & nodes.keys() & providers.keys())
    ]


def zones(hosts: Collection[str]) -> dict[str, str]:
    """Return each host's availability zone."""
    memberships = _memberships(list(hosts))
    return {host: _zone(memberships[host]) for host in hosts}


def _of(rows: Any, hosts: list[str] | None, column: str = "host") -> Any:
    return rows if hosts is None else rows.filter(**{f"{column}__in": hosts})


_services: Kept[dict[str, Any]] = Kept(
    lambda hosts: _of(Service.objects.filter(binary=COMPUTE), hosts).values(
        "host", "disabled", "forced_down", "is_up"
    )
)
_nodes: Kept[dict[str, Any]] = Kept(
    lambda hosts: _of(ComputeNode.objects.all(), hosts).values("host", "architecture", "hypervisor_type", "troubles")
)
_givers: Kept[dict[str, Any]] = Kept(
    lambda hosts: _of(ResourceProvider.objects.all(), hosts, "name").values("id", "name", "generation")
)
_amounts: Kept[tuple[int, str, int, int]] = Kept(
    lambda hosts: _of(Inventory.objects.filter(resource_class__in=_COLUMNS), hosts, "provider__name").values_list(
        "provider_id", "resource_class", "capacity", "used"
    )
)
_traits: Kept[tuple[int, str]] = Kept(
    lambda hosts: _of(ProviderTrait.objects.all(), hosts, "provider__name").values_list("provider_id", "name")
)
_member_rows: Kept[tuple[str, int, dict[str, str]]] = Kept(
    lambda hosts: _of(AggregateHost.objects.all(), hosts).order_by("aggregate_id").values_list(
        "host", "aggregate_id", "aggregate__metadata"
    )
)


def _providers(hosts: list[str] | None) -> dict[str, dict[str, Any]]:
    """Generation, amounts and traits by host."""
    rows = _givers(hosts=hosts)
    found = {row["id"]: {"host": row["name"], "generation": row["generation"], "traits": []} for row in rows}
    for provider_id, resource_class, capacity, used in _amounts(hosts=hosts):
        if provider_id in found:
            column = _COLUMNS[resource_class]
            found[provider_id][column] = capacity
            found[provider_id][f"{column}_used"] = used
    for provider_id, name in _traits(hosts=hosts):
        if provider_id in found:
            found[provider_id]["traits"].append(name)
    return {str(one["host"]): one for one in found.values()}


def _memberships(hosts: list[str] | None) -> dict[str, list[tuple[int, dict[str, str]]]]:
    found: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for host, aggregate_id, metadata in _member_rows(hosts=hosts):
        found[host].append((aggregate_id, metadata))
    return found


def _zone(memberships: Iterable[tuple[int, dict[str, str]]]) -> str:
    named = (metadata["availability_zone"] for _, metadata in memberships if metadata.get("availability_zone"))
    return next(named, DEFAULT_ZONE)


def _state(
    service: dict[str, Any], node: dict[str, Any], provider: dict[str, Any],
    memberships: list[tuple[int, dict[str, str]]],
) -> HostState:
    return HostState(
        is_enabled=not service["disabled"],
        is_up=service["is_up"] and not service["forced_down"],
        is_sound=not node["troubles"],
        availability_zone=_zone(memberships),
        aggregate_ids=[aggregate_id for aggregate_id, _ in memberships],
        architecture=node["architecture"],
        hypervisor_type=node["hypervisor_type"],
        **provider,
    )
