"""Networks and pools of floating addresses, as Nova once passed them on from Neutron: up to 2.35.

Source: https://docs.openstack.org/api-ref/compute/#networks-os-networks-deprecated
"""

from typing import Any

from cloud.compute.api.gone import gone
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import NotFound
from cloud.networks.selectors.proxied import external_names, network_names

_LAST = "2.35"
# Nova kept the keys of its own networks when it gave them up; only `id` and `label` still say something.
_EMPTY = ("cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6", "netmask_v6")
_EMPTY_FOR_ADMINS = (
    "created_at", "updated_at", "deleted_at", "deleted", "injected", "bridge", "vlan", "vpn_public_address",
    "vpn_public_port", "vpn_private_address", "dhcp_start", "project_id", "host", "bridge_interface", "multi_host",
    "priority", "rxtx_base", "mtu", "dhcp_server", "enable_dhcp", "share_address",
)


def _network(request: ApiRequest, network_id: str, name: str) -> dict[str, Any]:
    empty = _EMPTY + (_EMPTY_FOR_ADMINS if request.context.is_admin else ())
    return {**dict.fromkeys(empty), "id": network_id, "label": name}


def _tenant_network(network_id: str, name: str) -> dict[str, str]:
    return {"id": network_id, "label": name, "cidr": "None"}


def _name(request: ApiRequest, network_id: str) -> str:
    found = network_names(request.context, [network_id])
    if not found:
        raise NotFound("Network not found")
    return found[0][1]


@endpoint("os_compute_api:os-networks:list", until=_LAST)
def networks(request: ApiRequest) -> dict[str, Any]:
    """List networks."""
    return {"networks": [_network(request, *one) for one in network_names(request.context)]}


@endpoint("os_compute_api:os-networks:show", until=_LAST)
def network(request: ApiRequest, id: str) -> dict[str, Any]:
    """Show a network."""
    return {"network": _network(request, id, _name(request, id))}


@endpoint("os_compute_api:os-tenant-networks:list", until=_LAST)
def tenant_networks(request: ApiRequest) -> dict[str, Any]:
    """List networks."""
    return {"networks": [_tenant_network(*one) for one in network_names(request.context)]}


@endpoint("os_compute_api:os-tenant-networks:show", until=_LAST)
def tenant_network(request: ApiRequest, id: str) -> dict[str, Any]:
    """Show a network."""
    return {"network": _tenant_network(id, _name(request, id))}


@endpoint("os_compute_api:os-floating-ip-pools", until=_LAST)
def floating_ip_pools(request: ApiRequest) -> dict[str, Any]:
    """List the external networks, from which floating addresses come."""
    return {"floating_ip_pools": [{"name": name} for name in external_names(request.context)]}


# The first route of a path answers for all its methods, so the removed ones stand here too.
ROUTES = [
    route("/os-networks", GET=networks, POST=gone),
    route("/os-networks/add", POST=gone),
    route("/os-networks/<str:id>", GET=network, DELETE=gone),
    route("/os-tenant-networks", GET=tenant_networks, POST=gone),
    route("/os-tenant-networks/<str:id>", GET=tenant_network, DELETE=gone),
    route("/os-floating-ip-pools", GET=floating_ip_pools),
]
