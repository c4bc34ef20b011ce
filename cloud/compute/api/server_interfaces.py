"""The interfaces of servers: shown here; what is plugged into a server that exists is not carried out yet.

Source: https://docs.openstack.org/api-ref/compute/#port-interfaces-servers-os-interface
"""

from typing import Any

from cloud.compute.api.schema_parts import closed
from cloud.compute.selectors import servers
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import NotFound, NotImplementedHere
from cloud.core.microversions import version
from cloud.networks.selectors import Interface, interfaces

Body = dict[str, Any]
_TAGGED = version("2.70")
CREATE = closed({"interfaceAttachment": {"type": "object"}})


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
def create(request: ApiRequest, server_id: str) -> None:
    """Refuse to plug an interface into a server that exists: 501."""
    servers.get(request.context, server_id)
    raise NotImplementedHere


@endpoint("os_compute_api:os-attach-interfaces:delete")
def delete(request: ApiRequest, server_id: str, port_id: str) -> None:
    """Refuse to take an interface from a server that exists: 501."""
    servers.get(request.context, server_id)
    raise NotImplementedHere


ROUTES = [
    route("/servers/<str:server_id>/os-interface", GET=index, POST=create),
    route("/servers/<str:server_id>/os-interface/<str:port_id>", GET=show, DELETE=delete),
]
