"""Floating addresses as the compute API passes them on."""

from dataclasses import dataclass

from django.db.models import QuerySet

from cloud.core.context import RequestContext
from cloud.networks.models import FloatingIp
from cloud.networks.selectors import visible


@dataclass(frozen=True)
class LedFloatingIp:
    """A floating address. `fixed_ip` and `device_id` are of the port that it leads to, empty for none."""

    id: str
    address: str
    pool: str
    fixed_ip: str
    device_id: str


def floating_ips(context: RequestContext) -> list[LedFloatingIp]:
    """Return the floating addresses of a token's project."""
    return _read(_mine(context).order_by("created_at", "id"))


def floating_ip(context: RequestContext, floating_ip_id: str) -> LedFloatingIp | None:
    """Return a floating address by its id."""
    return next(iter(_read(visible.floating_ips(context).filter(id=floating_ip_id))), None)


def floating_ip_at(context: RequestContext, address: str) -> LedFloatingIp | None:
    """Return a floating address of a token's project by what it is."""
    return next(iter(_read(_mine(context).filter(floating_ip_address=address).order_by("created_at", "id"))), None)


def pool(context: RequestContext, name: str) -> tuple[str, str] | None:
    """Return id and name of an external network by either; of the first where no name is given."""
    rows = visible.networks(context).filter(is_external=True).order_by("created_at", "id")
    if name:
        rows = rows.filter(id=name) | rows.filter(name=name)
    return rows.values_list("id", "name").first()


def _mine(context: RequestContext) -> QuerySet[FloatingIp]:
    return FloatingIp.objects.filter(project_id=context.project_id)


def _read(rows: QuerySet[FloatingIp]) -> list[LedFloatingIp]:
    columns = ("id", "floating_ip_address", "network__name", "fixed_ip__ip_address", "fixed_ip__port__device_id")
    return [LedFloatingIp(*(value or "" for value in row)) for row in rows.values_list(*columns)]
