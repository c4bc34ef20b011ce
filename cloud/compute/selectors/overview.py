"""The cloud at a glance, from a fixed number of queries: for the admin's first page and for `cloud_status`."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min

from cloud.compute import states
from cloud.compute.models import ComputeNode, Instance, Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.selectors.services import COMPUTE, ServiceRow, list_services
from cloud.compute.statuses import status_of
from cloud.placement.models import Inventory
from contracts.errors import ErrorCode

VCPU, MEMORY_MB, DISK_GB = "VCPU", "MEMORY_MB", "DISK_GB"


@dataclass(frozen=True)
class Amount:
    """How much of what may be held is held."""

    used: int = 0
    capacity: int = 0

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return min(self.used / self.capacity, 1.0) if self.capacity else 0.0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.used + other.used, self.capacity + other.capacity)


@dataclass(frozen=True)
class HostLine:
    """A compute host: its service, how many servers it has, what of it is held, and what is wrong with it."""

    service: ServiceRow
    servers: int
    vcpus: Amount
    memory_mb: Amount
    disk_gb: Amount
    troubles: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The host's name."""
        return self.service.host

    @property
    def notes(self) -> list[str]:
        """Why it is given no servers, in words."""
        reason = self.service.disabled_reason or "no reason given"
        return [*([f"disabled: {reason}"] if self.service.disabled else []), *self.troubles]


@dataclass(frozen=True)
class Failure:
    """An operation that failed of itself, with the name of its server."""

    operation_id: str
    action: str
    server: str
    finished_at: datetime
    code: str
    message: str
    detail: str


@dataclass(frozen=True)
class Running:
    """How many operations are under way, and since when the oldest."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Transient:
    """A server in the middle of something."""

    uuid: str
    name: str
    task_state: str
    since: datetime


def hosts() -> list[HostLine]:
    """Return every compute host, by name."""
    servers = servers_by_host()
    amounts = amounts_by_host()
    troubles = dict(ComputeNode.objects.exclude(troubles=[]).values_list("host", "troubles"))
    return [
        HostLine(
            service, servers.get(service.host, 0),
            *(amounts[service.host][name] for name in (VCPU, MEMORY_MB, DISK_GB)),
            tuple(troubles.get(service.host, ())),
        )
        for service in sorted(list_services(binary=COMPUTE), key=lambda one: one.host)
    ]


def servers_by_host(names: Iterable[str] | None = None) -> dict[str, int]:
    """Return how many living servers each host has; None for all hosts."""
    rows = Instance.objects.filter(deleted=False).exclude(host="")
    if names is not None:
        rows = rows.filter(host__in=list(names))
    return dict(rows.order_by().values_list("host").annotate(Count("id")))


def amounts_by_host(names: Iterable[str] | None = None) -> dict[str, dict[str, Amount]]:
    """Return what is held of each resource class of each host; None for all hosts."""
    rows = Inventory.objects.all()
    if names is not None:
        rows = rows.filter(provider__name__in=list(names))
    found: dict[str, dict[str, Amount]] = defaultdict(lambda: defaultdict(Amount))
    for host, name, used, capacity in rows.values_list("provider__name", "resource_class", "used", "capacity"):
        found[host][name] = Amount(used, capacity)
    return found


def servers_by_status() -> dict[str, int]:
    """Return how many living servers have each status, the most frequent first."""
    rows = Instance.objects.filter(deleted=False).order_by().values_list("vm_state", "task_state")
    counts: Counter[str] = Counter()
    for vm_state, task_state, count in rows.annotate(Count("id")):
        counts[status_of(vm_state, task_state)] += count
    return dict(counts.most_common())


def running_operations() -> Running:
    """Return how many operations run."""
    rows = Operation.objects.filter(state=OperationState.RUNNING)
    found = rows.aggregate(count=Count("id"), oldest=Min("started_at"))
    return Running(found["count"], found["oldest"])


def oldest_transient() -> Transient | None:
    """Return the server that has been in the middle of something for longest, None if all are at rest."""
    rows = Instance.objects.filter(deleted=False, task_state__in=states.TRANSIENT).order_by("updated_at")
    found: dict[str, Any] | None = rows.values("uuid", "display_name", "task_state", "updated_at").first()
    return Transient(found["uuid"], found["display_name"], found["task_state"], found["updated_at"]) if found else None


def recent_failures(limit: int) -> list[Failure]:
    """Return the operations that failed last, those apart that another request took the place of."""
    rows = Operation.objects.filter(state=OperationState.FAILED).exclude(error_code=ErrorCode.SUPERSEDED)
    found = list(rows.order_by("-finished_at").values(
        "id", "action", "instance_uuid", "finished_at", "error_code", "message", "detail"
    )[:limit])
    names = server_names(row["instance_uuid"] for row in found)
    return [
        Failure(row["id"], row["action"], names.get(row["instance_uuid"], row["instance_uuid"]), row["finished_at"],
                row["error_code"], row["message"], row["detail"])
        for row in found
    ]


def server_names(uuids: Iterable[str]) -> dict[str, str]:
    """Return the names of servers, dead ones too."""
    return dict(Instance.objects.filter(uuid__in=set(uuids)).values_list("uuid", "display_name"))
