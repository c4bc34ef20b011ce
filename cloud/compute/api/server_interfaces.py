"""The interfaces of servers. GET 200, POST 200, DELETE 202.

Source: https://docs.openstack.org/api-ref/compute/#port-interfaces-servers-os-interface
"""

from typing import Any

from cloud.compute.api.schema_parts import closed
from cloud.compute.selectors import servers
from cloud.compute.services import server_interfaces
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid, NotFound
from cloud.core.microversions import ByVersion, version
from cloud.networks.selectors import Interface, interfaces

Body = dict[str, Any]
_TAGGED = version("2.70")
_UUID = {"type": "string", "format": "uuid"}
_ADDRESS = {
    "type": "object", "properties": {"ip_address": {"type": "string", "format": "ip-address"}},
    "required": ["ip_address"], "additionalProperties": False,
}
_WISH = {
    "net_id": _UUID, "port_id": _UUID, "fixed_ips": {"type": "array", "items": _ADDRESS, "minItems": 1, "maxItems": 1},
}
_TAG = {"tag": {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$", "format": "printable"}}


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    wish = {"type": "object", "properties": properties, "additionalProperties": False}
    return closed({"interfaceAttachment": wish})


CREATE = ByVersion({"2.1": _body(_WISH), "2.49": _body({**_WISH, **_TAG})})


def _view(request: ApiRequest, one: Interface) -> Body:
    fixed = [{"subnet_id": address.subnet_id, "ip_address": address.ip} for address in one.addresses]
    tag = {"tag": one.tag or None} if request.version >= _TAGGED else {}
    return {"port_id": one.port_id, "net_id": one.network_id, "mac_addr": one.mac, "port_state": one.status,
            "fixed_ips": fixed, **tag}


def _of_server(request: ApiRequest, server_id: str) -> list[Interface]:
    instance = servers.get(request.context, server_id)
    return interfaces([instance.uuid]).get(instance.uuid, [])


@endpoint("os_compute_api:os-attach-interfaces:list")
def index(request: ApiRequest, server_id: str) -> Body:
    """List the interfaces of a server."""
    return {"interfaceAttachments": [_view(request, one) for one in _of_server(request, server_id)]}


@endpoint("os_compute_api:os-attach-interfaces:show")
def show(request: ApiRequest, server_id: str, port_id: str) -> Body:
    """Show an interface of a server by its port."""
    for one in _of_server(request, server_id):
        if one.port_id == port_id:
            return {"interfaceAttachment": _view(request, one)}
    raise NotFound(f"Instance {server_id} does not have a port with id {port_id}")


@endpoint("os_compute_api:os-attach-interfaces:create", body=CREATE)
def create(request: ApiRequest, server_id: str) -> Body:
    """Plug an interface into a server: an existing port, or a new one in a network."""
    instance = servers.get(request.context, server_id)
    wish = _wish(request.body.get("interfaceAttachment", {}))
    port_id = server_interfaces.attach(request.context, instance, wish)
    return show.function(request, server_id, port_id)


@endpoint("os_compute_api:os-attach-interfaces:delete", status=202)
def delete(request: ApiRequest, server_id: str, port_id: str) -> None:
    """Take an interface out of a server."""
    server_interfaces.detach(request.context, servers.get(request.context, server_id), port_id)


def _wish(asked: Body) -> dict[str, str] | None:
    network_id, port_id = asked.get("net_id"), asked.get("port_id")
    addresses = [one["ip_address"] for one in asked.get("fixed_ips", [])]
    if network_id and port_id:
        raise Invalid("Must not input both network_id and port_id")
    if addresses and not network_id:
        raise Invalid("Must input network_id when request IP address")
    if not (network_id or port_id):
        return None
    return {"uuid": network_id or "", "port": port_id or "", "fixed_ip": next(iter(addresses), ""),
            "tag": asked.get("tag", "")}


ROUTES = [
    route("/servers/<str:server_id>/os-interface", GET=index, POST=create),
    route("/servers/<str:server_id>/os-interface/<str:port_id>", GET=show, DELETE=delete),
]
