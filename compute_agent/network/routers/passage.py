"""What becomes of a packet at the routers of a document, judged from it alone: what the kernel's rules say too."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from compute_agent.network.routers.rules import inside_networks, own_address
from contracts.networks import HostNetworks, RouterPort, RouterSpec

_UNTRANSLATED = 6
_LINK_LOCAL = ipaddress.ip_network("169.254.0.0/16")


@dataclass(frozen=True)
class Passage:
    """The first packet of a connection as it leaves a router, and the network in which it does."""

    network_id: str
    source: str
    destination: str


def passage(document: HostNetworks, network_id: str, source: str, destination: str) -> Passage | None:
    """Return how a packet goes on that comes to a router from this network; None where none lets it."""
    found = (_through(spec, network_id, source, destination) for spec in document.routers.values() if spec.is_up)
    return next((one for one in found if one is not None), None)


def _through(spec: RouterSpec, network_id: str, source: str, destination: str) -> Passage | None:
    comes_in = next((port for port in _legs(spec) if port.network_id == network_id), None)
    leads_to = {one.floating_address: one.fixed_address for one in spec.floating_ips}
    led = leads_to.get(destination, destination)
    goes_out = _way(spec, led)
    if comes_in is None or goes_out is None or _is_in(led, [str(_LINK_LOCAL)]):
        return None
    is_led_in = destination in leads_to
    version = ipaddress.ip_address(destination).version
    may_come_in = is_led_in or version == _UNTRANSLATED
    if comes_in is spec.gateway and (
        not may_come_in or goes_out is spec.gateway or _is_in(source, inside_networks(spec, version))
    ):
        return None
    if version == _UNTRANSLATED:
        return Passage(goes_out.network_id, source, destination)
    return Passage(goes_out.network_id, _source(spec, source, goes_out, is_led_in=is_led_in), led)


def _legs(spec: RouterSpec) -> Iterator[RouterPort]:
    yield from spec.interfaces
    if spec.gateway is not None:
        yield spec.gateway


def _way(spec: RouterSpec, destination: str) -> RouterPort | None:
    """Return the leg by which the router sends there."""
    for port in _legs(spec):
        if _is_in(destination, [str(ipaddress.ip_interface(one).network) for one in port.addresses]):
            return port
    hops = [route.nexthop for route in spec.routes if _is_in(destination, [route.destination])]
    version = ipaddress.ip_address(destination).version
    leads_out = any(ipaddress.ip_address(hop).version == version for hop in spec.gateway_ips)
    return _way(spec, hops[0]) if hops else spec.gateway if leads_out else None


def _source(spec: RouterSpec, source: str, goes_out: RouterPort, *, is_led_in: bool) -> str:
    floats = {one.fixed_address: one.floating_address for one in spec.floating_ips}
    if goes_out is spec.gateway:
        return floats.get(source) or (own_address(spec) if spec.has_snat else source)
    if is_led_in:
        return floats.get(source) or (own_address(spec) if _is_in(source, inside_networks(spec)) else source)
    return source


def _is_in(address: str, networks: list[str]) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in networks)
