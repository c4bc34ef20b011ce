"""`POST /dry-runs`: what a request would do. The body names the action, and asks for it as the real request does."""

from dataclasses import replace
from typing import Any

from cloud.compute.api.action_table import Action, action_endpoint
from cloud.compute.api.novella.views import decision, sees_hosts
from cloud.compute.api.schema_parts import HOST, closed
from cloud.compute.api.server_action_schemas import RESIZE, named
from cloud.compute.api.server_bodies import read_client_token, read_create
from cloud.compute.api.server_create_schema import CREATE
from cloud.compute.selectors import servers
from cloud.compute.services import dry_drains, dry_runs
from cloud.compute.services.dry_runs import DryRun, Outlook
from cloud.core.context import RequestContext
from cloud.core.endpoints import ApiRequest, route
from cloud.core.microversions import ByVersion

# So many servers that find no host are told of in full, the others with a sentence.
_MOST_DECISIONS = 50
_SERVER = {"type": "string", "minLength": 1, "maxLength": 255}
_FLAVOR = RESIZE["properties"]["resize"]["properties"]["flavorRef"]


def _create(request: ApiRequest) -> dict[str, Any]:
    asked = replace(request, body=request.body["create"])
    read_client_token(asked)
    return _view(request.context, dry_runs.create(request.context, read_create(asked)))


def _resize(request: ApiRequest) -> dict[str, Any]:
    asked = request.body["resize"]
    instance = servers.get(request.context, asked["server"])
    return _view(request.context, dry_runs.resize(request.context, instance, str(asked["flavor"])))


def _migrate(request: ApiRequest) -> dict[str, Any]:
    asked = request.body["migrate"]
    instance = servers.get(request.context, asked["server"])
    return _view(request.context, dry_runs.migrate(request.context, instance, asked.get("host", "")))


def _drain(request: ApiRequest) -> dict[str, Any]:
    return _view(request.context, dry_drains.drain(request.context, request.body["drain"]["host"]))


def _view(context: RequestContext, run: DryRun) -> dict[str, Any]:
    told = _told(run)
    return {"dry_run": {
        "action": run.action,
        "would_succeed": run.would_succeed,
        "servers_placed": run.placed,
        "servers_considered": len(run.outlooks),
        "servers_not_considered": run.not_considered,
        "servers": [
            _outlook(context, one, is_whole=index in told) for index, one in enumerate(run.outlooks)
        ],
    }}  # fmt: skip


def _told(run: DryRun) -> set[int]:
    """Return which servers are told of in full: the only one, else those that find no host."""
    if len(run.outlooks) == 1:
        return {0}
    return set([index for index, one in enumerate(run.outlooks) if not one.is_placed][:_MOST_DECISIONS])


def _outlook(context: RequestContext, one: Outlook, *, is_whole: bool) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": one.server_id or None,
        "name": one.name,
        "placed": one.is_placed,
        "message": one.reason,
    }
    if sees_hosts(context):
        view["host"] = one.host or None
    if is_whole and one.explained is not None:
        view["decision"] = decision(context, one.explained)
    return view


ACTIONS = {
    "create": Action(
        _create, "os_compute_api:servers:create",
        ByVersion({str(number): named("create", schema) for number, schema in CREATE.steps}),
    ),
    "resize": Action(
        _resize, "os_compute_api:servers:resize",
        named("resize", closed({"server": _SERVER, "flavor": _FLAVOR}, ["server", "flavor"])),
    ),
    "migrate": Action(
        _migrate, "os_compute_api:os-migrate-server:migrate",
        named("migrate", closed({"server": _SERVER, "host": HOST}, ["server"])),
    ),
    "drain": Action(_drain, "novella:dry-runs:drain", named("drain", closed({"host": HOST}, ["host"]))),
}  # fmt: skip

ROUTES = [route("/dry-runs", POST=action_endpoint("novella:dry-runs", ACTIONS))]
