"""Reading the cloud's services, with their zones and whether they are up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from cloud.compute.errors import ServiceNotFound
from cloud.compute.models import Service
from cloud.compute.selectors.zones import DEFAULT_ZONE, INTERNAL_ZONE, zones_by_host

COMPUTE = "nova-compute"
_COLUMNS = (
    "id", "uuid", "binary", "host", "disabled", "disabled_reason", "forced_down", "last_seen_at", "is_alive",
)  # fmt: skip


@dataclass(frozen=True)
class ServiceRow:
    """A service as operators see it. `is_alive`: heard of lately, by the database's clock."""

    id: int
    uuid: str
    binary: str
    host: str
    disabled: bool
    disabled_reason: str | None
    forced_down: bool
    last_seen_at: datetime | None
    is_alive: bool
    zone: str

    @property
    def is_up(self) -> bool:
        """Whether it is alive and nobody forced it down."""
        return self.is_alive and not self.forced_down

    @property
    def state(self) -> str:
        """The word for it."""
        return "up" if self.is_up else "down"

    @property
    def status(self) -> str:
        """Whether operators let it work."""
        return "disabled" if self.disabled else "enabled"


def list_services(binary: str = "", host: str = "") -> list[ServiceRow]:
    """Return services by id. Two queries for any number."""
    rows = Service.objects.all()
    if binary:
        rows = rows.filter(binary=binary)
    if host:
        rows = rows.filter(host=host)
    return _with_zones(rows.order_by("id"), [host] if host else None)


def compute_services(hosts: Collection[str] | None = None) -> dict[str, ServiceRow]:
    """Return the compute services by host: of some hosts, or of all."""
    rows = Service.objects.filter(binary=COMPUTE)
    if hosts is not None:
        rows = rows.filter(host__in=list(hosts))
    return {row.host: row for row in _with_zones(rows.order_by("id"), hosts)}


def get_service(service_id: str, *, by_uuid: bool) -> ServiceRow:
    """Return a service by its uuid or its number.

    Raises:
        ServiceNotFound
    """
    is_number = service_id.isascii() and service_id.isdigit() and len(service_id) <= 18
    key = {"uuid": service_id} if by_uuid else {"id": int(service_id) if is_number else -1}
    found = _with_zones(Service.objects.filter(**key), None)
    if not found:
        raise ServiceNotFound(service_id=service_id)
    return found[0]


def _with_zones(rows: QuerySet[Service], hosts: Collection[str] | None) -> list[ServiceRow]:
    latest = Now() - timedelta(seconds=settings.HOST_DOWN_AFTER_SECONDS)
    is_alive = ExpressionWrapper(Q(last_seen_at__gte=latest, last_seen_at__isnull=False), output_field=BooleanField())
    zones = zones_by_host(hosts)
    return [
        ServiceRow(**row, zone=zones.get(row["host"], DEFAULT_ZONE) if row["binary"] == COMPUTE else INTERNAL_ZONE)
        for row in rows.annotate(is_alive=is_alive).values(*_COLUMNS)
    ]
