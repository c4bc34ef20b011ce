"""Host aggregates."""

from typing import Any

from cloud.compute.api.action_table import Action, action_endpoint
from cloud.compute.api.aggregate_schemas import ADD_HOST, CREATE, REMOVE_HOST, SET_METADATA, UPDATE
from cloud.compute.api.schema_parts import NO_QUERY
from cloud.compute.selectors.aggregates import AggregateRow, get_aggregate, list_aggregates
from cloud.compute.selectors.zones import ZONE_KEY
from cloud.compute.services import aggregates as service
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid
from cloud.core.microversions import version
from cloud.core.times import micros

_POLICY = "os_compute_api:os-aggregates"
_UUIDS = version("2.41")


@endpoint(f"{_POLICY}:index", query=NO_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List the aggregates."""
    return {"aggregates": [_view(request, row) for row in list_aggregates()]}


@endpoint(f"{_POLICY}:create", body=CREATE)
def create(request: ApiRequest) -> dict[str, Any]:
    """Make an aggregate."""
    asked = request.body["aggregate"]
    made = service.create_aggregate(asked["name"], asked.get("availability_zone"))
    view = _view(request, AggregateRow(made))
    del view["hosts"], view["metadata"]
    return {"aggregate": view}


@endpoint(f"{_POLICY}:show", query=NO_QUERY)
def show(request: ApiRequest, aggregate_id: str) -> dict[str, Any]:
    """Show an aggregate."""
    return {"aggregate": _view(request, _find(aggregate_id))}


@endpoint(f"{_POLICY}:update", body=UPDATE)
def update(request: ApiRequest, aggregate_id: str) -> dict[str, Any]:
    """Change name or availability zone."""
    changes = dict(request.body["aggregate"])
    if "name" in changes:
        changes["name"] = changes["name"].strip()
    service.update_aggregate(_find(aggregate_id), changes)
    return {"aggregate": _view(request, _find(aggregate_id))}


@endpoint(f"{_POLICY}:delete")
def delete(request: ApiRequest, aggregate_id: str) -> None:
    """Remove an aggregate without hosts."""
    service.delete_aggregate(_find(aggregate_id))


def _add_host(request: ApiRequest, aggregate_id: str) -> dict[str, Any]:
    service.add_host(_find(aggregate_id), request.body["add_host"]["host"])
    return {"aggregate": _view(request, _find(aggregate_id))}


def _remove_host(request: ApiRequest, aggregate_id: str) -> dict[str, Any]:
    service.remove_host(_find(aggregate_id), request.body["remove_host"]["host"])
    return {"aggregate": _view(request, _find(aggregate_id))}


def _set_metadata(request: ApiRequest, aggregate_id: str) -> dict[str, Any]:
    service.set_metadata(_find(aggregate_id), request.body["set_metadata"]["metadata"])
    return {"aggregate": _view(request, _find(aggregate_id))}


action = action_endpoint(
    f"{_POLICY}:action",
    {
        "add_host": Action(_add_host, f"{_POLICY}:add_host", ADD_HOST),
        "remove_host": Action(_remove_host, f"{_POLICY}:remove_host", REMOVE_HOST),
        "set_metadata": Action(_set_metadata, f"{_POLICY}:set_metadata", SET_METADATA),
    },
)


def _find(aggregate_id: str) -> AggregateRow:
    if not (aggregate_id.isascii() and aggregate_id.removeprefix("-").isdigit()):
        raise Invalid(f"Invalid input received: id must be an integer, not {aggregate_id[:100]!r}")
    return get_aggregate(aggregate_id)


def _view(request: ApiRequest, row: AggregateRow) -> dict[str, Any]:
    one = row.aggregate
    view = {
        "id": one.id,
        "name": one.name,
        "availability_zone": one.metadata.get(ZONE_KEY),
        "hosts": row.hosts,
        "metadata": one.metadata,
        "created_at": micros(one.created_at),
        "updated_at": micros(one.updated_at),
        "deleted": False,
        "deleted_at": None,
    }
    return view | ({"uuid": one.uuid} if request.version >= _UUIDS else {})


ROUTES = [
    route("/os-aggregates", GET=index, POST=create),
    route("/os-aggregates/<str:aggregate_id>", GET=show, PUT=update, DELETE=delete),
    route("/os-aggregates/<str:aggregate_id>/action", POST=action),
]
