"""Hosts, as they were before there were services and hypervisors: until 2.42."""

from typing import Any

from cloud.compute.api.service_schemas import HOSTS_QUERY, UPDATE_HOST
from cloud.compute.selectors.hypervisors import node_of, promised_by_project, used_by_host
from cloud.compute.selectors.services import COMPUTE, list_services
from cloud.compute.services.host_services import change_service
from cloud.core.endpoints import ApiRequest, Endpoint, endpoint, route
from cloud.core.errors import NotImplementedHere

_POLICY = "os_compute_api:os-hosts"
_LAST = "2.42"
_CLASSES = {"cpu": "VCPU", "memory_mb": "MEMORY_MB", "disk_gb": "DISK_GB"}


@endpoint(f"{_POLICY}:list", query=HOSTS_QUERY, until=_LAST)
def index(request: ApiRequest) -> dict[str, Any]:
    """List the enabled services with their hosts."""
    zone = request.query.get("zone", "")
    return {
        "hosts": [
            {"host_name": row.host, "service": row.binary.removeprefix("nova-"), "zone": row.zone}
            for row in list_services()
            if not row.disabled and zone in ("", row.zone)
        ]
    }


@endpoint(f"{_POLICY}:show", until=_LAST)
def show(request: ApiRequest, host: str) -> dict[str, Any]:
    """Show what a host has and who holds how much of it."""
    node = node_of(host)
    by_project = promised_by_project(host)
    has = {"VCPU": node.vcpus, "MEMORY_MB": node.memory_mb, "DISK_GB": node.disk_gb}
    promised = {name: sum(held[name] for held in by_project.values()) for name in has}
    rows = {"(total)": has, "(used_now)": used_by_host([host])[host], "(used_max)": promised, **by_project}
    return {
        "host": [
            {"resource": {"host": host, "project": project} | {key: held[name] for key, name in _CLASSES.items()}}
            for project, held in rows.items()
        ]
    }


@endpoint(f"{_POLICY}:update", body=UPDATE_HOST, until=_LAST)
def update(request: ApiRequest, host: str) -> dict[str, Any]:
    """Let a host take new servers, or no longer."""
    node_of(host)
    if "maintenance_mode" in request.body:
        raise NotImplementedHere("The requested functionality is not supported.")
    is_disabled = request.body["status"].lower() == "disable"
    change_service(host, COMPUTE, disabled=is_disabled, disabled_reason=None)
    return {"host": host, "status": "disabled" if is_disabled else "enabled"}


def _power(operation: str) -> Endpoint:
    @endpoint(f"{_POLICY}:{operation}", until=_LAST)
    def refuse(request: ApiRequest, host: str) -> None:
        """Nobody switches a machine on or off from here."""
        node_of(host)
        raise NotImplementedHere("The requested functionality is not supported.")

    return refuse


ROUTES = [
    route("/os-hosts", GET=index),
    route("/os-hosts/<str:host>", GET=show, PUT=update),
    route("/os-hosts/<str:host>/reboot", GET=_power("reboot")),
    route("/os-hosts/<str:host>/shutdown", GET=_power("shutdown")),
    route("/os-hosts/<str:host>/startup", GET=_power("start")),
]
