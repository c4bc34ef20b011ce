"""A router's way out: the port by which it stands in an external network."""

from collections.abc import Sequence
from typing import Any

from cloud.core.context import RequestContext
from cloud.networks.errors import BadRequest, GatewayInUseByFloatingIp, NetworkNotFound
from cloud.networks.models import FloatingIp, Network, Port, Router, Subnet
from cloud.networks.models.device_owners import ROUTER_GATEWAY
from cloud.networks.selectors import visible
from cloud.networks.selectors.routing import addresses, gateway_port, overlapping
from cloud.networks.services.plugging import make_port
from cloud.networks.services.readdressing import read_wishes, readdress


def set_gateway(context: RequestContext, router: Router, asked: dict[str, Any] | None) -> None:
    """Give a locked router the gateway that the API's `external_gateway_info` asks for; empty or None for none.

    Raises:
        NetworkNotFound
        BadRequest: the network is not external, or has addresses of the networks inside.
        GatewayInUseByFloatingIp: it shall lose a gateway by which floating addresses lead in.
        what `make_port` raises for addresses
    """
    port = gateway_port(router)
    if not asked:
        if port is not None:
            _remove(router, port)
        return
    network = _external(context, asked["network_id"])
    if port is not None and port.network_id != network.id:
        _remove(router, port)
        port = None
    wishes = asked.get("external_fixed_ips")
    if port is None:
        port = _make(router, network, wishes)
    elif wishes is not None:
        readdress(port, read_wishes(wishes, is_gateway=True))
    _refuse_overlap(router, port)


def gateway_network(router: Router) -> set[str]:
    """Return the id of the network that a router's gateway is in, alone in a set; an empty one without a gateway."""
    port = gateway_port(router)
    return {port.network_id} if port is not None else set()


def delete_gateway(router: Router) -> None:
    """Remove a locked router's gateway, if it has one. Raises GatewayInUseByFloatingIp."""
    port = gateway_port(router)
    if port is not None:
        _remove(router, port)


def _external(context: RequestContext, network_id: str) -> Network:
    network = visible.networks(context).filter(id=network_id).first()
    if network is None:
        raise NetworkNotFound(network_id=network_id)
    if not network.is_external:
        raise _not_external(network)
    return network


def _not_external(network: Network) -> BadRequest:
    return BadRequest(f"Bad router request: Network {network.id} is not an external network.")


def require_external(network: Network) -> None:
    """Look once more, when a port of the transaction's own keeps the network as it is. Raises BadRequest."""
    if not Network.objects.filter(id=network.id, is_external=True).exists():
        raise _not_external(network)


def _make(router: Router, network: Network, wishes: Sequence[dict[str, str]] | None) -> Port:
    # It belongs to no project: it is neither to be seen nor to be counted among a project's ports.
    draft = Port(network=network, project_id="", device_id=router.id, device_owner=ROUTER_GATEWAY, router=router,
                 status="ACTIVE", port_security_enabled=False)
    port = make_port(draft, None if wishes is None else read_wishes(wishes, is_gateway=True), ())
    require_external(network)
    return port


def _remove(router: Router, port: Port) -> None:
    used = FloatingIp.objects.filter(router=router, fixed_ip__isnull=False)
    if used.exists():
        raise GatewayInUseByFloatingIp(router_id=router.id, network_id=port.network_id)
    port.delete()


def _refuse_overlap(router: Router, port: Port) -> None:
    held = addresses(router)
    outside = [fixed.subnet for fixed in held if fixed.port_id == port.id]
    inside = [fixed.subnet for fixed in held if fixed.port_id != port.id]
    for subnet in outside:
        other = overlapping(subnet, inside)
        if other is not None:
            raise BadRequest(overlap(subnet, other))


def overlap(subnet: Subnet, other: Subnet) -> str:
    """Return the sentence that says that two subnets of a router share addresses."""
    return (f"Bad router request: Cidr {subnet.cidr} of subnet {subnet.id} overlaps with cidr {other.cidr} of subnet "
            f"{other.id}.")


def is_external_in_use(network: Network) -> bool:
    """Tell whether routers or floating addresses need a network to be external."""
    gateways = Port.objects.filter(network=network, device_owner=ROUTER_GATEWAY, router__isnull=False)
    return gateways.exists() or FloatingIp.objects.filter(network=network).exists()
