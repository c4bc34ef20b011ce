"""Routers. GET 200, POST 201, PUT 200, DELETE 204; what is done to their interfaces and routes: PUT 200.

Source: https://docs.openstack.org/api-ref/network/v2/#routers-routers
"""

from cloud.core import policy
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import seconds_z
from cloud.networks.api.collection import Body, Collection, changes, drafts, listed, made, shown
from cloud.networks.api.schemas import (
    BOOLEAN,
    FIXED_IPS,
    ID,
    NAMED,
    ROUTES_OF,
    change,
    creation,
    truth,
    with_truths,
)
from cloud.networks.errors import BadRequest, RouterNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, router_rows
from cloud.networks.services import router_interfaces, router_routes, routers
from cloud.networks.services.router_interfaces import Attachment

_GATEWAY = {
    "type": "object",
    "properties": {"network_id": ID, "enable_snat": BOOLEAN, "external_fixed_ips": FIXED_IPS},
    "dependentRequired": {"enable_snat": ["network_id"], "external_fixed_ips": ["network_id"]},
    "additionalProperties": False,
}
_PROPERTIES = {
    **NAMED,
    "admin_state_up": BOOLEAN,
    "external_gateway_info": {"anyOf": [_GATEWAY, {"type": "null"}]},
}
_HINTS = {"availability_zone_hints": {"type": "array", "maxItems": 0}}
CREATE = creation("router", "routers", {**_PROPERTIES, **_HINTS})
UPDATE = change("router", {**_PROPERTIES, "routes": {"anyOf": [ROUTES_OF, {"type": "null"}]}})
INTERFACE = {"type": "object", "properties": {"subnet_id": ID, "port_id": ID}, "minProperties": 1,
             "additionalProperties": False}
EXTRA_ROUTES = {
    "type": "object",
    "properties": {
        "router": {"type": "object", "properties": {"routes": ROUTES_OF}, "required": ["routes"],
                   "additionalProperties": False},
    },
    "required": ["router"],
    "additionalProperties": False,
}
# Parts of the gateway that are an admin's business.
_ADMINS = ("enable_snat", "external_fixed_ips")


def _gateway(row: Row) -> Body | None:
    port = row["gateway"]
    if port is None:
        return None
    fixed = [{"subnet_id": one["subnet_id"], "ip_address": one["ip_address"]} for one in port["addresses"]]
    return {"network_id": port["network_id"], "enable_snat": row["enable_snat"], "external_fixed_ips": fixed}


def view(row: Row) -> Body:
    """Return a router's body."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project_id": row["project_id"],
        "admin_state_up": row["admin_state_up"],
        "status": "ACTIVE",
        "external_gateway_info": _gateway(row),
        "routes": row["routes"],
        "availability_zone_hints": [],
        "availability_zones": ["nova"],
        "tags": row["tags"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


ROUTERS = Collection(
    "router", "routers", "routers", visible.routers, router_rows, view, lambda one: RouterNotFound(router_id=one)
)


def _asked(request: ApiRequest, verb: str, item: Body) -> Body:
    """Return what is asked of a router with its truth values. Raises PolicyNotAuthorized."""
    item = with_truths(item, "admin_state_up")
    gateway = item.get("external_gateway_info") or {}
    for name in _ADMINS:
        if name in gateway:
            policy.enforce(request.context, f"{verb}_router:external_gateway_info:{name}")
    if "enable_snat" in gateway:
        item["external_gateway_info"] = {**gateway, "enable_snat": truth(gateway["enable_snat"])}
    return item


def _attachment(router_id: str, done: Attachment) -> Body:
    return {
        "id": router_id, "tenant_id": done.project_id, "project_id": done.project_id, "port_id": done.port_id,
        "network_id": done.network_id, "subnet_id": done.subnet_ids[0], "subnet_ids": list(done.subnet_ids),
    }


@endpoint("get_router")
def index(request: ApiRequest) -> Body:
    """List routers."""
    return listed(request, ROUTERS)


@endpoint("get_router")
def show(request: ApiRequest, router_id: str) -> Body:
    """Show a router."""
    return shown(request, ROUTERS, router_id)


@endpoint("create_router", status=201, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Make routers."""
    wanted = [_asked(request, "create", item) for item in drafts(request, ROUTERS)]
    return made(request, ROUTERS, routers.create_routers(request.context, wanted))


@endpoint("update_router", body=UPDATE)
def update(request: ApiRequest, router_id: str) -> Body:
    """Change a router."""
    routers.update_router(request.context, router_id, _asked(request, "update", changes(request, ROUTERS)))
    return shown(request, ROUTERS, router_id)


@endpoint("delete_router", status=204)
def delete(request: ApiRequest, router_id: str) -> None:
    """Remove a router, unless it has interfaces."""
    routers.delete_router(request.context, router_id)


@endpoint("add_router_interface", body=INTERFACE)
def add_interface(request: ApiRequest, router_id: str) -> Body:
    """Connect a router with a subnet, or make a port its interface."""
    if len(request.body) > 1:
        raise BadRequest("Bad router request: Cannot specify both subnet-id and port-id.")
    if "subnet_id" in request.body:
        done = router_interfaces.add_subnet(request.context, router_id, request.body["subnet_id"])
    else:
        done = router_interfaces.add_port(request.context, router_id, request.body["port_id"])
    return _attachment(router_id, done)


@endpoint("remove_router_interface", body=INTERFACE)
def remove_interface(request: ApiRequest, router_id: str) -> Body:
    """Take an interface from a router."""
    return _attachment(router_id, router_interfaces.remove_interface(request.context, router_id, **request.body))


@endpoint("add_extraroutes", body=EXTRA_ROUTES)
def add_routes(request: ApiRequest, router_id: str) -> Body:
    """Give a router further routes."""
    router_routes.add_routes(request.context, router_id, request.body["router"]["routes"])
    return shown(request, ROUTERS, router_id)


@endpoint("remove_extraroutes", body=EXTRA_ROUTES)
def remove_routes(request: ApiRequest, router_id: str) -> Body:
    """Take routes from a router."""
    router_routes.remove_routes(request.context, router_id, request.body["router"]["routes"])
    return shown(request, ROUTERS, router_id)


ROUTES = [
    route("/v2.0/routers", GET=index, POST=create),
    route("/v2.0/routers/<str:router_id>", GET=show, PUT=update, DELETE=delete),
    route("/v2.0/routers/<str:router_id>/add_router_interface", PUT=add_interface),
    route("/v2.0/routers/<str:router_id>/remove_router_interface", PUT=remove_interface),
    route("/v2.0/routers/<str:router_id>/add_extraroutes", PUT=add_routes),
    route("/v2.0/routers/<str:router_id>/remove_extraroutes", PUT=remove_routes),
]
