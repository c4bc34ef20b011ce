"""Subnets. GET 200, POST 201, PUT 200, DELETE 204."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import seconds_z
from cloud.networks.api.collection import Body, Collection, changes, drafts, listed, made, shown
from cloud.networks.api.schemas import (
    ADDRESS,
    BOOLEAN,
    CIDR,
    ID,
    NAME,
    NAMED,
    NUMBER,
    ROUTES_OF,
    change,
    creation,
    with_truths,
)
from cloud.networks.errors import SubnetNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, plain_rows
from cloud.networks.services import subnets

_POOL = {"type": "object", "properties": {"start": ADDRESS, "end": ADDRESS}, "required": ["start", "end"],
         "additionalProperties": False}
_MODE = {"enum": ["slaac", "dhcpv6-stateful", "dhcpv6-stateless", None]}
_PROPERTIES = {
    **NAMED,
    "gateway_ip": {"anyOf": [ADDRESS, {"type": "null"}]},
    "enable_dhcp": BOOLEAN,
    "allocation_pools": {"type": "array", "items": _POOL, "maxItems": 100},
    # Neutron's own bounds.
    "dns_nameservers": {"type": "array", "items": ADDRESS, "maxItems": 5},
    "service_types": {"type": "array", "maxItems": 20, "uniqueItems": True, "items": {
        **NAME, "pattern": "^(network|compute|baremetal|trunk):",
    }},
    "host_routes": {**ROUTES_OF, "maxItems": 20},
}
CREATE = creation(
    "subnet",
    "subnets",
    {
        **_PROPERTIES,
        "network_id": ID,
        "cidr": CIDR,
        "ip_version": {"enum": [4, 6, "4", "6"]},
        "ipv6_address_mode": _MODE,
        "ipv6_ra_mode": _MODE,
        "subnetpool_id": {"anyOf": [ID, {"type": "null"}]},
        "use_default_subnetpool": BOOLEAN,
        "prefixlen": NUMBER,
    },
    ["network_id", "ip_version"],
)
UPDATE = change("subnet", _PROPERTIES)


def view(row: Row) -> Body:
    """Return a subnet's body."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project_id": row["project_id"],
        "network_id": row["network_id"],
        "ip_version": row["ip_version"],
        "cidr": row["cidr"],
        "gateway_ip": row["gateway_ip"] or None,
        "enable_dhcp": row["enable_dhcp"],
        "allocation_pools": row["allocation_pools"],
        "dns_nameservers": row["dns_nameservers"],
        "host_routes": row["host_routes"],
        "ipv6_address_mode": row["ipv6_address_mode"] or None,
        "ipv6_ra_mode": row["ipv6_ra_mode"] or None,
        "service_types": row["service_types"],
        "subnetpool_id": row["subnetpool_id"],
        "tags": row["tags"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


SUBNETS = Collection(
    "subnet", "subnets", "subnets", visible.subnets, plain_rows, view, lambda one: SubnetNotFound(subnet_id=one)
)


@endpoint("get_subnet")
def index(request: ApiRequest) -> Body:
    """List subnets."""
    return listed(request, SUBNETS)


@endpoint("get_subnet")
def show(request: ApiRequest, subnet_id: str) -> Body:
    """Show a subnet."""
    return shown(request, SUBNETS, subnet_id)


@endpoint("create_subnet", status=201, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Make subnets."""
    wanted = [with_truths(item, "enable_dhcp", "use_default_subnetpool") for item in drafts(request, SUBNETS)]
    return made(request, SUBNETS, subnets.create_subnets(request.context, wanted))


@endpoint("update_subnet", body=UPDATE)
def update(request: ApiRequest, subnet_id: str) -> Body:
    """Change a subnet."""
    subnets.update_subnet(request.context, subnet_id, with_truths(changes(request, SUBNETS), "enable_dhcp"))
    return shown(request, SUBNETS, subnet_id)


@endpoint("delete_subnet", status=204)
def delete(request: ApiRequest, subnet_id: str) -> None:
    """Remove a subnet, unless a port has an address of it."""
    subnets.delete_subnet(request.context, subnet_id)


ROUTES = [
    route("/v2.0/subnets", GET=index, POST=create),
    route("/v2.0/subnets/<str:subnet_id>", GET=show, PUT=update, DELETE=delete),
]
