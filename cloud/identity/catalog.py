"""The one table of the services that this cloud offers, and where."""

import uuid
from typing import Any, NamedTuple

from django.conf import settings


class ServiceRow(NamedTuple):
    """A service: its type, its name and the path of its endpoint."""

    type: str
    name: str
    path: str


SERVICES = (
    ServiceRow("identity", "keystone", "/identity/v3"),
    ServiceRow("compute", "nova", "/compute/v2.1"),
    ServiceRow("image", "glance", "/image"),
    ServiceRow("network", "neutron", "/network"),
    ServiceRow("placement", "placement", "/placement"),
)
INTERFACES = ("public", "internal", "admin")
_NAMESPACE = uuid.UUID("7b1c2f5e-8e0b-4f5c-9d2a-5a3c6f1d0e42")


def catalog(base_url: str) -> list[dict[str, Any]]:
    """Return the catalog as it stands in a token.

    Args:
        base_url: scheme and host as the client sees them, without a slash at the end.
    """
    return [
        {"id": service_id(row), "type": row.type, "name": row.name, "endpoints": endpoints_of(row, base_url)}
        for row in SERVICES
    ]


def endpoints_of(row: ServiceRow, base_url: str) -> list[dict[str, str]]:
    """Return a service's endpoints."""
    return [
        {
            "id": _stable_id(f"{row.type}/{interface}"),
            "interface": interface,
            "region": settings.REGION,
            "region_id": settings.REGION,
            "url": base_url + row.path,
        }
        for interface in INTERFACES
    ]


def service_id(row: ServiceRow) -> str:
    """Return an id that is the same in every installation."""
    return _stable_id(row.type)


def _stable_id(name: str) -> str:
    return uuid.uuid5(_NAMESPACE, name).hex
