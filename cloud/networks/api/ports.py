"""Ports. GET 200, POST 201, PUT 200, DELETE 204."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import seconds_z
from cloud.networks.api.collection import Body, Collection, changes, drafts, listed, made, shown
from cloud.networks.api.schemas import (
    ADDRESS,
    BOOLEAN,
    CIDR,
    FIXED_IPS,
    ID,
    MAC,
    NAME,
    NAMED,
    TAGS,
    change,
    creation,
    with_truths,
)
from cloud.networks.errors import PortNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, port_rows
from cloud.networks.services import ports

_TRUTHS = ("admin_state_up", "port_security_enabled")
_PAIR = {
    "type": "object",
    "properties": {
        "ip_address": {"anyOf": [ADDRESS, CIDR]},
        "mac_address": MAC,
    },
    "required": ["ip_address"],
    "additionalProperties": False,
}
_OPTION = {
    "type": "object",
    "properties": {
        "opt_name": {**NAME, "minLength": 1}, "opt_value": {"anyOf": [{**NAME, "minLength": 1}, {"type": "null"}]},
        "ip_version": {"enum": [4, 6, "4", "6"]},
    },
    "required": ["opt_name", "opt_value"],
    "additionalProperties": False,
}
_PROPERTIES = {
    **NAMED,
    **dict.fromkeys(_TRUTHS, BOOLEAN),
    "qos_policy_id": {"anyOf": [ID, {"type": "null"}]},
    "device_id": NAME,
    "device_owner": NAME,
    "mac_address": MAC,
    "fixed_ips": FIXED_IPS,
    "security_groups": {"type": "array", "items": ID, "maxItems": 100, "uniqueItems": True},
    "allowed_address_pairs": {"type": "array", "items": _PAIR, "maxItems": 10},
    "extra_dhcp_opts": {"type": "array", "items": _OPTION, "maxItems": 20},
    # Null is what the stock client says to take a port off its host.
    "binding:host_id": {"anyOf": [NAME, {"type": "null"}]},
    "binding:profile": {
        "type": "object", "maxProperties": 20, "propertyNames": NAME,
        "additionalProperties": {"type": ["string", "integer", "boolean", "null"], "format": "printable"},
    },
    "binding:vnic_type": {"const": "normal"},
}
CREATE = creation("port", "ports", {**_PROPERTIES, "network_id": ID, "tags": TAGS}, ["network_id"])
UPDATE = change("port", _PROPERTIES)


def view(row: Row) -> Body:
    """Return a port's body."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project_id": row["project_id"],
        "network_id": row["network_id"],
        "mac_address": row["mac_address"],
        "fixed_ips": [
            {"subnet_id": fixed["subnet_id"], "ip_address": fixed["ip_address"]} for fixed in row["addresses"]
        ],
        "admin_state_up": row["admin_state_up"],
        "status": row["status"],
        "device_id": row["device_id"],
        "device_owner": row["device_owner"],
        "security_groups": row["group_ids"],
        "port_security_enabled": row["port_security_enabled"],
        "allowed_address_pairs": row["allowed_address_pairs"],
        "extra_dhcp_opts": row["extra_dhcp_opts"],
        "qos_policy_id": row["qos_policy_id"],
        "binding:vnic_type": row["vnic_type"],
        "binding:host_id": row["host"],
        "binding:profile": row["binding_profile"],
        "binding:vif_type": "bridge" if row["host"] else "unbound",
        "binding:vif_details": {},
        "tags": row["tags"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


_HIDDEN = "get_port:binding:host_id"
PORTS = Collection(
    "port", "ports", "ports", visible.ports, port_rows, view, lambda one: PortNotFound(port_id=one),
    guarded={"binding:host_id": "", "binding:profile": {}, "mac_address": ""},
    hidden={f"binding:{name}": _HIDDEN for name in ("host_id", "profile", "vif_type", "vif_details")},
)


def _asked(item: Body) -> Body:
    item = with_truths(item, *_TRUTHS)
    return {**item, "binding:host_id": item["binding:host_id"] or ""} if "binding:host_id" in item else item


@endpoint("get_port")
def index(request: ApiRequest) -> Body:
    """List ports."""
    return listed(request, PORTS)


@endpoint("get_port")
def show(request: ApiRequest, port_id: str) -> Body:
    """Show a port."""
    return shown(request, PORTS, port_id)


@endpoint("create_port", status=201, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Make ports."""
    wanted = [_asked(item) for item in drafts(request, PORTS)]
    return made(request, PORTS, ports.create_ports(request.context, wanted))


@endpoint("update_port", body=UPDATE)
def update(request: ApiRequest, port_id: str) -> Body:
    """Change a port."""
    ports.update_port(request.context, port_id, _asked(changes(request, PORTS)))
    return shown(request, PORTS, port_id)


@endpoint("delete_port", status=204)
def delete(request: ApiRequest, port_id: str) -> None:
    """Remove a port."""
    ports.delete_port(request.context, port_id)


ROUTES = [
    route("/v2.0/ports", GET=index, POST=create),
    route("/v2.0/ports/<str:port_id>", GET=show, PUT=update, DELETE=delete),
]
