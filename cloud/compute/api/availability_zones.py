"""Availability zones."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from cloud.compute.api.schema_parts import NO_QUERY
from cloud.compute.selectors.services import ServiceRow, list_services
from cloud.compute.selectors.zones import INTERNAL_ZONE
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import micros

_POLICY = "os_compute_api:os-availability-zone"


@endpoint(f"{_POLICY}:list", query=NO_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List the zones of guests."""
    available, others = _zones(list_services())
    names = [(zone, zone in available) for zone in [*available, *others] if zone != INTERNAL_ZONE]
    return {"availabilityZoneInfo": [_zone(zone, None, is_available=is_available) for zone, is_available in names]}


@endpoint(f"{_POLICY}:detail", query=NO_QUERY)
def detail(request: ApiRequest) -> dict[str, Any]:
    """List all zones with their hosts and the services there."""
    rows = list_services()
    available, others = _zones(rows)
    hosts: dict[str, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if not row.disabled:
            hosts[row.zone][row.host][row.binary] = {
                "available": row.is_up, "active": True, "updated_at": micros(row.last_seen_at),
            }  # fmt: skip
    zones = [_zone(zone, hosts[zone], is_available=True) for zone in available]
    return {"availabilityZoneInfo": zones + [_zone(zone, None, is_available=False) for zone in others]}


def _zones(rows: Sequence[ServiceRow]) -> tuple[list[str], list[str]]:
    """Return the zones with an enabled service, and the others."""
    available = sorted({row.zone for row in rows if not row.disabled})
    return available, sorted({row.zone for row in rows} - set(available))


def _zone(name: str, hosts: dict[str, Any] | None, *, is_available: bool) -> dict[str, Any]:
    return {"zoneName": name, "zoneState": {"available": is_available}, "hosts": hosts}


ROUTES = [
    route("/os-availability-zone", GET=index),
    route("/os-availability-zone/detail", GET=detail),
]
