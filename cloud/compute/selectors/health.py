"""How the work under way stands: for /healthz, /metrics and the admin's page, from a fixed number of small queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from cloud.compute.models import Operation, Service
from cloud.compute.models.operations import OperationState
from cloud.compute.selectors.overview import Transient, oldest_transient
from cloud.compute.selectors.services import COMPUTE
from cloud.core.clock import database_now
from cloud.core.models import Lease, UnsentOrder

# A reconciler ends what is late within this time; what is later still is its fault.
_GRACE = timedelta(seconds=30)


@dataclass(frozen=True)
class Health:
    """What a look at the books came to.

    Attributes:
        now: by the database's clock.
        oldest: the server that is in the middle of something for longest; None if all are at rest.
        oldest_operation: the id of the operation that will end that; empty where none does.
        overdue: operations that run past their deadline.
        unsent: orders that wait for the broker, and since when the oldest of them.
        leases_lapsed: names of what one process shall do and none does.
    """

    now: datetime
    oldest: Transient | None
    oldest_operation: str
    running: int
    overdue: int
    hosts_up: int
    hosts_down: int
    unsent: int
    unsent_since: datetime | None
    leases_lapsed: tuple[str, ...]

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest transient state lasts."""
        return _age(self.now, self.oldest.since if self.oldest else None)

    @property
    def unsent_seconds(self) -> float:
        """How long the oldest order waits."""
        return _age(self.now, self.unsent_since)

    @property
    def is_well(self) -> bool:
        """Whether everything that is under way has somebody who ends it."""
        return not (self.overdue or self.leases_lapsed or (self.oldest and not self.oldest_operation))


def health() -> Health:
    """Look at the books."""
    now = database_now()
    oldest = oldest_transient()
    running = Operation.objects.filter(state=OperationState.RUNNING)
    operation = running.filter(instance_uuid=oldest.uuid).order_by("started_at").first() if oldest else None
    work = running.aggregate(all=Count("id"), late=Count("id", filter=Q(deadline__lt=now - _GRACE)))
    hosts = Service.objects.filter(binary=COMPUTE).aggregate(
        up=Count("id", filter=Q(is_up=True)), down=Count("id", filter=Q(is_up=False))
    )
    orders = UnsentOrder.objects.aggregate(all=Count("id"), oldest=Min("created_at"))
    lapsed = Lease.objects.filter(expires_at__lt=now - _GRACE).order_by("name").values_list("name", flat=True)
    return Health(
        now, oldest, operation.id if operation else "", work["all"], work["late"], hosts["up"], hosts["down"],
        orders["all"], orders["oldest"], tuple(lapsed),
    )


def _age(now: datetime, since: datetime | None) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0
