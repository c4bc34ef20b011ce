"""Networks. GET 200, POST 201, PUT 200, DELETE 204."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import seconds_z
from cloud.networks.api.collection import Body, Collection, changes, drafts, listed, made, shown
from cloud.networks.api.schemas import BOOLEAN, ID, NAME, NAMED, NUMBER, change, creation, with_numbers, with_truths
from cloud.networks.errors import NetworkNotFound
from cloud.networks.models.network_types import TYPES
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, network_rows
from cloud.networks.services import networks, segments

_TRUTHS = ("admin_state_up", "shared", "router:external", "port_security_enabled", "is_default")
_PROPERTIES = {
    **NAMED,
    **dict.fromkeys(_TRUTHS, BOOLEAN),
    # 0 asks for the cloud's own.
    "mtu": {**NUMBER, "anyOf": [{"maximum": 0}, {"minimum": 68, "maximum": segments.MAX_MTU}]},
    "qos_policy_id": {"anyOf": [ID, {"type": "null"}]},
    "provider:network_type": {"enum": [*TYPES, None]},
    "provider:physical_network": {"anyOf": [{**NAME, "maxLength": 64}, {"type": "null"}]},
    "provider:segmentation_id": {"anyOf": [
        {**NUMBER, "minimum": 1, "maximum": segments.MAX_VNI},
        {"type": "null"},
    ]},
}
_HINTS = {"availability_zone_hints": {"type": "array", "maxItems": 0}}
CREATE = creation("network", "networks", {**_PROPERTIES, **_HINTS})
UPDATE = change("network", _PROPERTIES)


def view(row: Row) -> Body:
    """Return a network's body."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project_id": row["project_id"],
        "admin_state_up": row["admin_state_up"],
        "status": "ACTIVE",
        "shared": row["shared"] or row["is_granted"],
        "router:external": row["is_external"],
        "is_default": row["is_default"],
        "mtu": row["mtu"],
        "qos_policy_id": row["qos_policy_id"],
        "port_security_enabled": row["port_security_enabled"],
        "provider:network_type": row["network_type"],
        "provider:physical_network": row["physical_network"] or None,
        "provider:segmentation_id": row["segmentation_id"],
        "subnets": row["subnet_ids"],
        "availability_zone_hints": [],
        "availability_zones": ["nova"],
        "ipv4_address_scope": row["scopes"].get(4),
        "ipv6_address_scope": row["scopes"].get(6),
        "tags": row["tags"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


NETWORKS = Collection(
    "network", "networks", "networks",
    lambda context: visible.with_grants(context, visible.networks(context), "network"), network_rows, view,
    lambda one: NetworkNotFound(network_id=one),
    guarded={"shared": False, "router:external": False, "is_default": False, **dict.fromkeys(segments.ATTRIBUTES)},
    hidden={name: f"get_network:{name}" for name in segments.ATTRIBUTES},
)


def _asked(item: Body) -> Body:
    return with_numbers(with_truths(item, *_TRUTHS), "mtu", "provider:segmentation_id")


@endpoint("get_network")
def index(request: ApiRequest) -> Body:
    """List networks."""
    return listed(request, NETWORKS)


@endpoint("get_network")
def show(request: ApiRequest, network_id: str) -> Body:
    """Show a network."""
    return shown(request, NETWORKS, network_id)


@endpoint("create_network", status=201, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Make networks."""
    wanted = [_asked(item) for item in drafts(request, NETWORKS)]
    return made(request, NETWORKS, networks.create_networks(request.context, wanted))


@endpoint("update_network", body=UPDATE)
def update(request: ApiRequest, network_id: str) -> Body:
    """Change a network."""
    networks.update_network(request.context, network_id, _asked(changes(request, NETWORKS)))
    return shown(request, NETWORKS, network_id)


@endpoint("delete_network", status=204)
def delete(request: ApiRequest, network_id: str) -> None:
    """Remove a network and its subnets, unless a port stands in it."""
    networks.delete_network(request.context, network_id)


ROUTES = [
    route("/v2.0/networks", GET=index, POST=create),
    route("/v2.0/networks/<str:network_id>", GET=show, PUT=update, DELETE=delete),
]
