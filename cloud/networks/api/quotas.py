"""Quotas of network resources. GET 200, PUT 200, DELETE 204.

Source: https://docs.openstack.org/api-ref/network/v2/#quotas-extension-quotas
"""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import PolicyNotAuthorized
from cloud.networks.api.collection import Body
from cloud.networks.api.schemas import BOOLEAN, SIGNED_NUMBER, truth
from cloud.networks.errors import BadRequest
from cloud.networks.services import quotas

_LIMIT = {**SIGNED_NUMBER, "minimum": quotas.UNLIMITED}
# What clients say beside the limits: `force` is the default here as it is in Neutron.
_MANNERS = {"check_limit": BOOLEAN, "force": BOOLEAN}
UPDATE = {
    "type": "object",
    "properties": {
        "quota": {
            "type": "object", "properties": {**dict.fromkeys(quotas.DEFAULTS, _LIMIT), **_MANNERS},
            "additionalProperties": False,
        },
    },
    "required": ["quota"],
    "additionalProperties": False,
}


def _check_project(request: ApiRequest, project_id: str) -> None:
    if not request.context.is_admin and project_id != request.context.project_id:
        raise PolicyNotAuthorized(policy="get_quota")


@endpoint("get_quota:all")
def index(request: ApiRequest) -> Body:
    """List the projects whose limits were set."""
    return {"quotas": [{**limits, "tenant_id": limits["project_id"]} for limits in quotas.own_limits()]}


@endpoint("get_quota")
def whose(request: ApiRequest) -> Body:
    """Tell for which project the token is."""
    if not request.context.project_id:
        raise BadRequest("the token is for no project")
    return {"tenant": {"tenant_id": request.context.project_id}}


@endpoint("get_quota")
def show(request: ApiRequest, project_id: str) -> Body:
    """Show a project's limits."""
    _check_project(request, project_id)
    return {"quota": quotas.limits(project_id)}


@endpoint("get_quota")
def defaults(request: ApiRequest, project_id: str) -> Body:
    """Show the limits of a project for which none were set."""
    _check_project(request, project_id)
    return {"quota": dict(quotas.DEFAULTS)}


@endpoint("get_quota")
def details(request: ApiRequest, project_id: str) -> Body:
    """Show a project's limits and what it has."""
    _check_project(request, project_id)
    limits, used = quotas.limits(project_id), quotas.usages(project_id)
    return {"quota": {name: {"limit": limits[name], "used": used[name], "reserved": 0} for name in limits}}


@endpoint("update_quota", body=UPDATE)
def update(request: ApiRequest, project_id: str) -> Body:
    """Set some of a project's limits."""
    if len(project_id) > 64:
        raise BadRequest("a project's id has no more than 64 characters")
    asked = request.body["quota"]
    limits = {name: int(limit) for name, limit in asked.items() if name not in _MANNERS}
    return {"quota": quotas.set_limits(project_id, limits, is_checked=truth(asked.get("check_limit", False)))}


@endpoint("delete_quota", status=204)
def delete(request: ApiRequest, project_id: str) -> None:
    """Give a project the default limits again."""
    quotas.reset_limits(project_id)


ROUTES = [
    route("/v2.0/quotas", GET=index),
    route("/v2.0/quotas/tenant", GET=whose),
    route("/v2.0/quotas/project", GET=whose),
    route("/v2.0/quotas/<str:project_id>", GET=show, PUT=update, DELETE=delete),
    route("/v2.0/quotas/<str:project_id>/default", GET=defaults),
    route("/v2.0/quotas/<str:project_id>/details", GET=details),
    route("/v2.0/quotas/<str:project_id>/details.json", GET=details),
]
