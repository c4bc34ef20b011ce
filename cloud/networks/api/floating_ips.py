"""Floating IPs. GET 200, POST 201, PUT 200, DELETE 204.

Source: https://docs.openstack.org/api-ref/network/v2/#floating-ips-floatingips
"""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import seconds_z
from cloud.networks.api.collection import Body, Collection, changes, drafts, listed, made, shown
from cloud.networks.api.schemas import ID, NAME, TAGS, change, creation
from cloud.networks.errors import FloatingIpNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, floating_ip_rows
from cloud.networks.services import floating_ips

_IPV4 = {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "null"}]}
_PROPERTIES = {"description": NAME, "port_id": {"anyOf": [ID, {"type": "null"}]}, "fixed_ip_address": _IPV4}
CREATE = creation(
    "floatingip", "floatingips",
    {**_PROPERTIES, "floating_network_id": ID, "floating_ip_address": _IPV4,
     "subnet_id": {"anyOf": [ID, {"type": "null"}]}, "tags": TAGS},
    ["floating_network_id"],
)
UPDATE = change("floatingip", _PROPERTIES)


def view(row: Row) -> Body:
    """Return a floating IP's body."""
    leads = row["fixed_ip_id"] is not None
    return {
        "id": row["id"],
        "description": row["description"],
        "project_id": row["project_id"],
        "floating_network_id": row["network_id"],
        "floating_ip_address": row["floating_ip_address"],
        "fixed_ip_address": row["fixed_ip_address"],
        "port_id": row["port_id"],
        "router_id": row["router_id"] if leads else None,
        "status": "ACTIVE" if leads else "DOWN",
        "port_details": row["port"] if leads else None,
        "tags": row["tags"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


FLOATING_IPS = Collection(
    "floatingip", "floatingips", "floatingips", visible.floating_ips, floating_ip_rows, view,
    lambda one: FloatingIpNotFound(floatingip_id=one),
    guarded={"floating_ip_address": None},
)


@endpoint("get_floatingip")
def index(request: ApiRequest) -> Body:
    """List floating IPs."""
    return listed(request, FLOATING_IPS)


@endpoint("get_floatingip")
def show(request: ApiRequest, floatingip_id: str) -> Body:
    """Show a floating IP."""
    return shown(request, FLOATING_IPS, floatingip_id)


@endpoint("create_floatingip", status=201, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Make floating IPs."""
    wanted = drafts(request, FLOATING_IPS)
    return made(request, FLOATING_IPS, floating_ips.create_floating_ips(request.context, wanted))


@endpoint("update_floatingip", body=UPDATE)
def update(request: ApiRequest, floatingip_id: str) -> Body:
    """Lead a floating IP to a port, or nowhere."""
    floating_ips.update_floating_ip(request.context, floatingip_id, changes(request, FLOATING_IPS))
    return shown(request, FLOATING_IPS, floatingip_id)


@endpoint("delete_floatingip", status=204)
def delete(request: ApiRequest, floatingip_id: str) -> None:
    """Give a floating IP back."""
    floating_ips.delete_floating_ip(request.context, floatingip_id)


ROUTES = [
    route("/v2.0/floatingips", GET=index, POST=create),
    route("/v2.0/floatingips/<str:floatingip_id>", GET=show, PUT=update, DELETE=delete),
]
