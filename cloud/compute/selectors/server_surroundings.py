"""What a view of servers shows beside their own rows, read for a whole page at once."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloud.compute import states
from cloud.compute.models import InstanceFault, InstanceTag, ServerGroupMember, Service
from cloud.compute.selectors.zones import zones_by_host
from cloud.networks.selectors import Interface, interfaces

_HAS_FAULT = frozenset({states.ERROR, states.DELETED})


@dataclass(frozen=True)
class Wanted:
    """Which surroundings a view needs; each costs a query, whatever the number of servers."""

    interfaces: bool = False
    faults: bool = False
    tags: bool = False
    zones: bool = False
    host_statuses: bool = False
    groups: bool = False


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of a page of servers: all by instance uuid, zones and statuses by host."""

    interfaces: Mapping[str, Sequence[Interface]] = field(default_factory=dict)
    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    host_statuses: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)


def load(rows: Sequence[Mapping[str, Any]], wanted: Wanted) -> Surroundings:
    """Read what is wanted around these rows."""
    uuids = [row["uuid"] for row in rows]
    hosts = {row["host"] for row in rows if row["host"]}
    failed = [row["uuid"] for row in rows if row["vm_state"] in _HAS_FAULT]
    return Surroundings(
        interfaces=interfaces(uuids) if wanted.interfaces and uuids else {},
        faults=latest_faults(failed) if wanted.faults and failed else {},
        tags=tags_of(uuids) if wanted.tags and uuids else {},
        zones=zones_by_host(hosts) if wanted.zones and hosts else {},
        host_statuses=statuses_of(hosts) if wanted.host_statuses and hosts else {},
        groups=groups_of(uuids) if wanted.groups and uuids else {},
    )


def latest_faults(uuids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the last fault of each."""
    rows = InstanceFault.objects.filter(instance_uuid__in=uuids).order_by("id")
    return {row["instance_uuid"]: row for row in rows.values()}


def tags_of(uuids: Sequence[str]) -> dict[str, list[str]]:
    """Return the tags of each, sorted."""
    rows = InstanceTag.objects.filter(instance_uuid__in=uuids).order_by("tag")
    return _gathered(rows.values_list("instance_uuid", "tag"))


def groups_of(uuids: Sequence[str]) -> dict[str, list[str]]:
    """Return the uuids of the groups of each."""
    rows = ServerGroupMember.objects.filter(instance_uuid__in=uuids)
    return _gathered(rows.values_list("instance_uuid", "group__uuid"))


def statuses_of(hosts: Iterable[str]) -> dict[str, str]:
    """Return UP, DOWN, MAINTENANCE or UNKNOWN for each host."""
    rows = Service.objects.filter(binary="nova-compute", host__in=list(hosts))
    return {
        row["host"]: _host_status(row) for row in rows.values("host", "disabled", "forced_down", "is_up")
    }


def _host_status(service: Mapping[str, Any]) -> str:
    if service["forced_down"]:
        return "DOWN"
    if service["disabled"]:
        return "MAINTENANCE"
    return "UP" if service["is_up"] else "UNKNOWN"


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


def host_id(project_id: str, host: str) -> str:
    """Return what a tenant may know of a host: the same for its servers there, different for every project."""
    return hashlib.sha224(f"{project_id}{host}".encode()).hexdigest() if host else ""
