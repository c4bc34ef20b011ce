"""A network for a project that asks for any. GET 200, which makes it; DELETE 204.

Source: https://docs.openstack.org/api-ref/network/v2/#auto-allocated-topology-auto-allocated-topologies
"""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import PolicyNotAuthorized
from cloud.networks.api.collection import Body
from cloud.networks.errors import BadRequest
from cloud.networks.services import auto_topology

_DRY_RUN = "dry-run"


def _project(request: ApiRequest, project_id: str) -> str:
    """Return whose it is; clients write `None` for their own."""
    mine = request.context.project_id
    wanted = mine if project_id in ("None", "null") else project_id
    if not wanted:
        raise BadRequest("the token is for no project")
    if wanted != mine and not request.context.is_admin:
        raise PolicyNotAuthorized(policy="get_auto_allocated_topology")
    return wanted


@endpoint("get_auto_allocated_topology")
def show(request: ApiRequest, project_id: str) -> Body:
    """Show the project's network, made if there is none; with `fields=dry-run`, tell whether it could be made."""
    project_id = _project(request, project_id)
    if _DRY_RUN in request.query.getlist("fields"):
        auto_topology.check(project_id)
        network_id = "dry-run=pass"
    else:
        network_id = auto_topology.ensure(request.context, project_id)
    return {"auto_allocated_topology": {"id": network_id, "tenant_id": project_id, "project_id": project_id}}


@endpoint("delete_auto_allocated_topology", status=204)
def delete(request: ApiRequest, project_id: str) -> None:
    """Remove the project's network with all that was made for it."""
    auto_topology.delete(request.context, _project(request, project_id))


ROUTES = [route("/v2.0/auto-allocated-topology/<str:project_id>", GET=show, DELETE=delete)]
