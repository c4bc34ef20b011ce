"""Which projects may use a flavor that is not public."""

from typing import Any

from cloud.compute.api.action_table import Action, action_endpoint
from cloud.compute.api.flavor_schemas import ADD_ACCESS, NO_QUERY, REMOVE_ACCESS
from cloud.compute.models import Flavor
from cloud.compute.selectors.flavors import get_flavor, projects_of
from cloud.compute.selectors.projects import check_project
from cloud.compute.services.flavor_access import add_access, remove_access
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Conflict, NotFound
from cloud.core.microversions import version

_PUBLIC_IS_REFUSED = version("2.7")
_POLICY = "os_compute_api:os-flavor-access"


@endpoint(_POLICY, query=NO_QUERY)
def index(request: ApiRequest, flavor_id: str) -> dict[str, Any]:
    """List the projects."""
    flavor = get_flavor(request.context, flavor_id)
    if flavor.is_public:
        raise NotFound("Access list not available for public flavors.")
    return _view(flavor)


def _add(request: ApiRequest, flavor_id: str) -> dict[str, Any]:
    project_id = request.body["addTenantAccess"]["tenant"]
    check_project(project_id)
    flavor = get_flavor(request.context, flavor_id)
    if flavor.is_public and request.version >= _PUBLIC_IS_REFUSED:
        raise Conflict("Can not add access to a public flavor.")
    add_access(flavor, project_id)
    return _view(flavor)


def _remove(request: ApiRequest, flavor_id: str) -> dict[str, Any]:
    flavor = get_flavor(request.context, flavor_id)
    remove_access(flavor, request.body["removeTenantAccess"]["tenant"])
    return _view(flavor)


def _view(flavor: Flavor) -> dict[str, Any]:
    return {
        "flavor_access": [
            {"flavor_id": flavor.flavorid, "tenant_id": project_id} for project_id in projects_of(flavor)
        ]
    }


action = action_endpoint(
    "os_compute_api:flavors:action",
    {
        "addTenantAccess": Action(_add, f"{_POLICY}:add_tenant_access", ADD_ACCESS),
        "removeTenantAccess": Action(_remove, f"{_POLICY}:remove_tenant_access", REMOVE_ACCESS),
    },
)

ROUTES = [
    route("/flavors/<str:flavor_id>/os-flavor-access", GET=index),
    route("/flavors/<str:flavor_id>/action", POST=action),
]
