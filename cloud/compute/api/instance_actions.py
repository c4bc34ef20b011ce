"""What was done to a server: actions are operations, events are their steps.

Source: https://docs.openstack.org/api-ref/compute/#servers-actions-servers-os-instance-actions
"""

from dataclasses import dataclass
from typing import Any

from cloud.compute.api import links as urls
from cloud.compute.api.instance_event_names import event_name
from cloud.compute.api.schema_parts import NO_QUERY, NOT_NEGATIVE, once, parameters, strict
from cloud.compute.models import Instance
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.selectors import instance_actions, servers
from cloud.compute.selectors.instance_actions import ActionPage
from cloud.compute.selectors.server_surroundings import host_id
from cloud.compute.services import graphs
from cloud.core import policy, times
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid
from cloud.core.microversions import ByVersion, version
from cloud.core.paging import read_limit
from contracts.errors import TENANT_TEXT

_POLICY = "os_compute_api:os-instance-actions:"
_READS_DELETED = version("2.21")
_EVENTS_FOR_ALL = version("2.51")
_PAGED = version("2.58")
_WITH_HOST = version("2.62")
_WITH_DETAILS = version("2.84")
_TIME = {"type": "string", "format": "date-time"}
_PAGE = strict(once(parameters("marker", limit=NOT_NEGATIVE, **{"changes-since": _TIME})))
_PAGE_BEFORE = strict(
    once(parameters("marker", limit=NOT_NEGATIVE, **{"changes-since": _TIME, "changes-before": _TIME}))
)
_QUERY = ByVersion({"2.1": parameters(), "2.58": _PAGE, "2.66": _PAGE_BEFORE})
# What became of a step, in the words of Nova's events.
_RESULTS = {StepState.DONE: "Success", StepState.FAILED: "Error"}


@dataclass(frozen=True)
class _Shown:
    """Which parts of an event the reader sees."""

    traceback: bool
    host_id: bool
    host: bool
    details: bool


def _server(request: ApiRequest, server_id: str) -> Instance:
    find = servers.get_with_deleted if request.version >= _READS_DELETED else servers.get
    return find(request.context, server_id)


@endpoint(_POLICY + "list", query=_QUERY)
def index(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """List the actions of a server, the newest first."""
    instance = _server(request, server_id)
    page = _page(request) if request.version >= _PAGED else ActionPage()
    rows = instance_actions.list_actions(instance.uuid, page)
    body: dict[str, Any] = {"instanceActions": [_action(request, row) for row in rows]}
    if request.version >= _PAGED and rows and len(rows) >= page.limit:
        below = f"servers/{server_id}/os-instance-actions"
        body |= urls.page_links(request, "links", rows[-1]["request_id"], below)
    return body


def _page(request: ApiRequest) -> ActionPage:
    query = request.query
    since, before = (
        times.read_time(query[name]) if name in query else None for name in ("changes-since", "changes-before")
    )
    if since and before and since > before:
        raise Invalid("The value of changes-since must be less than or equal to changes-before.")
    return ActionPage(read_limit(query), query.get("marker", ""), since, before)


@endpoint(_POLICY + "show", query=NO_QUERY)
def show(request: ApiRequest, server_id: str, request_id: str) -> dict[str, Any]:
    """Show an action with its events."""
    instance = _server(request, server_id)
    row = instance_actions.get_action(instance.uuid, request_id)
    body = _action(request, row)
    reads_all = policy.allows(request.context, _POLICY + "events")
    if reads_all or request.version >= _EVENTS_FOR_ALL:
        shown = _shown(request, reads_all=reads_all)
        body["events"] = [_event(instance, row, step, shown) for step in instance_actions.events_of(row["id"])]
    return {"instanceAction": body}


def _shown(request: ApiRequest, *, reads_all: bool) -> _Shown:
    with_host = request.version >= _WITH_HOST
    with_details = request.version >= _WITH_DETAILS and policy.allows(request.context, _POLICY + "events:details")
    return _Shown(traceback=reads_all, host_id=with_host, host=with_host and reads_all, details=with_details)


def _action(request: ApiRequest, row: dict[str, Any]) -> dict[str, Any]:
    body = {
        "action": row["action"],
        "instance_uuid": row["instance_uuid"],
        "request_id": row["request_id"],
        "user_id": row["user_id"] or None,
        "project_id": row["project_id"] or None,
        "start_time": times.micros(row["started_at"]),
        "message": (row["message"] or "Error") if row["state"] == OperationState.FAILED else None,
    }
    return {**body, "updated_at": times.micros(row["updated_at"])} if request.version >= _PAGED else body


def _event(instance: Instance, action: dict[str, Any], step: dict[str, Any], shown: _Shown) -> dict[str, Any]:
    host = (step["host"] or action["host"]) if graphs.is_on_host(step["name"]) else ""
    code = step["error_code"] if step["state"] == StepState.FAILED else ""
    return {
        "event": event_name(action["action"], step["name"]),
        "start_time": times.micros(step["started_at"]),
        "finish_time": times.micros(step["finished_at"]),
        "result": _RESULTS.get(step["state"]),
        **({"traceback": step["detail"] or None} if shown.traceback else {}),
        **({"hostId": host_id(instance.project_id, host)} if shown.host_id else {}),
        **({"host": host} if shown.host else {}),
        **({"details": TENANT_TEXT.get(code, code) or None} if shown.details else {}),
    }


ROUTES = [
    route("/servers/<str:server_id>/os-instance-actions", GET=index),
    route("/servers/<str:server_id>/os-instance-actions/<str:request_id>", GET=show),
]
