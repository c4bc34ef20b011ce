"""Server groups: servers that shall be together or apart."""

from typing import Any

from cloud.compute.api.schema_parts import NO_QUERY
from cloud.compute.api.server_group_schemas import CREATE, LIST_QUERY
from cloud.compute.selectors.server_groups import GroupRow, get_group, list_groups
from cloud.compute.services.server_groups import GroupRequest, create_group, delete_group
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid
from cloud.core.microversions import version
from cloud.core.paging import read_limit

_POLICY = "os_compute_api:os-server-groups"
_OWNERS = version("2.13")
_ONE_POLICY = version("2.64")


@endpoint(f"{_POLICY}:index", query=LIST_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List the project's groups; admins may ask for everybody's."""
    query = request.query
    rows = list_groups(
        request.context, all_projects="all_projects" in query and request.context.is_admin,
        offset=int(query.get("offset", 0)), limit=read_limit(query),
    )  # fmt: skip
    return {"server_groups": [_view(request, row) for row in rows]}


@endpoint(f"{_POLICY}:create", body=CREATE)
def create(request: ApiRequest) -> dict[str, Any]:
    """Make a group."""
    asked = request.body["server_group"]
    policy = asked["policy"] if request.version >= _ONE_POLICY else asked["policies"][0]
    rules = {name: int(value) for name, value in asked.get("rules", {}).items()}
    if rules and policy != "anti-affinity":
        raise Invalid("Only anti-affinity policy supports rules.")
    group = create_group(request.context, GroupRequest(asked["name"], policy, rules))
    return {"server_group": _view(request, GroupRow(group, []))}


@endpoint(f"{_POLICY}:show", query=NO_QUERY)
def show(request: ApiRequest, group_id: str) -> dict[str, Any]:
    """Show a group."""
    return {"server_group": _view(request, get_group(request.context, group_id))}


@endpoint(f"{_POLICY}:delete", status=204)
def delete(request: ApiRequest, group_id: str) -> None:
    """Remove a group."""
    delete_group(get_group(request.context, group_id).group)


def _view(request: ApiRequest, row: GroupRow) -> dict[str, Any]:
    group = row.group
    view: dict[str, Any] = {"id": group.uuid, "name": group.name, "members": row.members}
    if request.version >= _ONE_POLICY:
        view |= {"policy": group.policy, "rules": group.rules}
    else:
        view |= {"policies": [group.policy], "metadata": {}}
    if request.version >= _OWNERS:
        view |= {"project_id": group.project_id, "user_id": group.user_id}
    return view


ROUTES = [
    route("/os-server-groups", GET=index, POST=create),
    route("/os-server-groups/<str:group_id>", GET=show, DELETE=delete),
]
