"""The routers of a host as its document says them, in four queries for any number."""

import ipaddress
from collections import defaultdict
from collections.abc import Sequence

from cloud.core.kept import Kept
from cloud.networks.models import FixedIp, FloatingIp, Port, Router
from cloud.networks.models.device_owners import ROUTER_GATEWAY
from contracts.networks import FloatingSpec, RouterPort, RouterSpec, RouteSpec

_routers: Kept[Router] = Kept(lambda host: Router.objects.filter(host=host).order_by("id"))


def routers(host: str) -> dict[str, RouterSpec]:
    """Return the routers that live on a host, by id."""
    rows = _routers(host=host)
    if not rows:
        return {}
    ports, floating = _ports(host), _floating(host)
    return {router.id: _spec(router, ports[router.id], floating[router.id]) for router in rows}


class _Leg:
    """A port of a router with its addresses. One that is switched off, or whose network is, is left out."""

    def __init__(self, port: Port, held: Sequence[FixedIp]) -> None:
        self.is_gateway = port.device_owner == ROUTER_GATEWAY
        self.gateway_ips = sorted({fixed.subnet.gateway_ip for fixed in held} - {""})
        self.spec = RouterPort(
            port_id=port.id,
            network_id=port.network_id,
            mac_address=port.mac_address,
            addresses=[f"{fixed.ip_address}/{ipaddress.ip_network(fixed.subnet.cidr).prefixlen}" for fixed in held],
        )


def _spec(router: Router, legs: Sequence[_Leg], floating: list[FloatingSpec]) -> RouterSpec:
    gateway = next((leg for leg in legs if leg.is_gateway), None)
    return RouterSpec(
        is_up=router.admin_state_up,
        interfaces=[leg.spec for leg in legs if not leg.is_gateway],
        gateway=gateway.spec if gateway else None,
        gateway_ips=_one_of_each(gateway.gateway_ips) if gateway else [],
        has_snat=router.enable_snat,
        floating_ips=floating if gateway else [],
        routes=[RouteSpec(**route) for route in router.routes],
    )


def _one_of_each(addresses: Sequence[str]) -> list[str]:
    found = {ipaddress.ip_address(address).version: address for address in reversed(addresses)}
    return [found[version] for version in sorted(found)]


def _ports(host: str) -> dict[str, list[_Leg]]:
    rows = Port.objects.filter(router__host=host, admin_state_up=True, network__admin_state_up=True).order_by("id")
    held: dict[str, list[FixedIp]] = defaultdict(list)
    for fixed in FixedIp.objects.filter(port__router__host=host).select_related("subnet").order_by("id"):
        held[fixed.port_id].append(fixed)
    found: dict[str, list[_Leg]] = defaultdict(list)
    for port in rows:
        found[str(port.router_id)].append(_Leg(port, held[port.id]))
    return found


def _floating(host: str) -> dict[str, list[FloatingSpec]]:
    found: dict[str, list[FloatingSpec]] = defaultdict(list)
    rows = FloatingIp.objects.filter(router__host=host, fixed_ip__isnull=False).order_by("floating_ip_address")
    for router_id, outside, inside in rows.values_list("router_id", "floating_ip_address", "fixed_ip__ip_address"):
        found[router_id].append(FloatingSpec(floating_address=outside, fixed_address=inside))
    return found
