"""The cloud's own services: list, enable, disable, force down, remove."""

from collections.abc import Callable, Mapping
from typing import Any

from cloud.compute.api.schema_parts import is_true
from cloud.compute.api.service_schemas import LIST_QUERY, UPDATE
from cloud.compute.selectors.services import ServiceRow, get_service, list_services
from cloud.compute.services.host_services import change_service, delete_service
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid, NotFound
from cloud.core.formats import is_uuid
from cloud.core.microversions import version
from cloud.core.times import micros

_POLICY = "os_compute_api:os-services"
_FORCED_DOWN = version("2.11")
_UUIDS = version("2.53")
Body = Mapping[str, Any]


@endpoint(f"{_POLICY}:list", query=LIST_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List the services."""
    rows = list_services(request.query.get("binary", ""), request.query.get("host", ""))
    return {"services": [_view(request, row) for row in rows]}


@endpoint(f"{_POLICY}:update", body=UPDATE)
def update(request: ApiRequest, service_id: str) -> dict[str, Any]:
    """Change a service: by its uuid, or before 2.53 by host and binary with the action in the path."""
    if request.version >= _UUIDS:
        return _update_by_uuid(request, service_id)
    if service_id not in _ACTIONS or (service_id == "force-down" and request.version < _FORCED_DOWN):
        raise NotFound("Unknown action")
    return {"service": _ACTIONS[service_id](request)}


@endpoint(f"{_POLICY}:delete", status=204)
def delete(request: ApiRequest, service_id: str) -> None:
    """Forget a service."""
    by_uuid = request.version >= _UUIDS
    if by_uuid:
        _check_uuid(service_id)
    elif not service_id.removeprefix("-").isdigit():
        raise Invalid("id must be an integer")
    delete_service(get_service(service_id, by_uuid=by_uuid))


def _update_by_uuid(request: ApiRequest, service_id: str) -> dict[str, Any]:
    _check_uuid(service_id)
    row = get_service(service_id, by_uuid=True)
    change_service(row.host, row.binary, said_by=request.context.user_id, **_changes(request.body))
    return {"service": _view(request, get_service(service_id, by_uuid=True))}


def _changes(body: Body) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if body.get("status") == "enabled" and body.get("disabled_reason"):
        raise Invalid("Specifying 'disabled_reason' with status 'enabled' is invalid.")
    if "status" in body:
        changes = {"disabled": body["status"] == "disabled", "disabled_reason": body.get("disabled_reason")}
    if "forced_down" in body:
        changes["forced_down"] = is_true(body["forced_down"])
    if not changes:
        raise Invalid("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
    return changes


def _enable(request: ApiRequest) -> dict[str, Any]:
    return _switch(request.body, is_disabled=False, reason=None)


def _disable(request: ApiRequest) -> dict[str, Any]:
    return _switch(request.body, is_disabled=True, reason=None)


def _disable_with_reason(request: ApiRequest) -> dict[str, Any]:
    body: Body = request.body
    if "disabled_reason" not in body:
        raise Invalid("Missing disabled reason field")
    return _switch(body, is_disabled=True, reason=body["disabled_reason"])


def _force_down(request: ApiRequest) -> dict[str, Any]:
    body: Body = request.body
    if "forced_down" not in body:
        raise Invalid("Missing forced_down field")
    is_forced = is_true(body["forced_down"])
    change_service(body["host"], body["binary"], said_by=request.context.user_id, forced_down=is_forced)
    return {"host": body["host"], "binary": body["binary"], "forced_down": is_forced}


_ACTIONS: dict[str, Callable[[ApiRequest], dict[str, Any]]] = {
    "enable": _enable,
    "disable": _disable,
    "disable-log-reason": _disable_with_reason,
    "force-down": _force_down,
}


def _switch(body: Body, *, is_disabled: bool, reason: str | None) -> dict[str, Any]:
    change_service(body["host"], body["binary"], disabled=is_disabled, disabled_reason=reason)
    view = {"host": body["host"], "binary": body["binary"], "status": "disabled" if is_disabled else "enabled"}
    return view | ({"disabled_reason": reason} if reason else {})


def _check_uuid(text: str) -> None:
    if not is_uuid(text):
        raise Invalid(f"Invalid uuid {text[:100]}")


def _view(request: ApiRequest, row: ServiceRow) -> dict[str, Any]:
    view = {
        "id": row.uuid if request.version >= _UUIDS else row.id,
        "binary": row.binary,
        "host": row.host,
        "zone": row.zone,
        "status": row.status,
        "state": row.state,
        "updated_at": micros(row.last_seen_at),
        "disabled_reason": row.disabled_reason,
    }
    return view | ({"forced_down": row.forced_down} if request.version >= _FORCED_DOWN else {})


ROUTES = [
    route("/os-services", GET=index),
    route("/os-services/<str:service_id>", PUT=update, DELETE=delete),
]
