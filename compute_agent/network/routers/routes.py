"""A router's routes beside those of its legs: the next hop outside, and those that its project gave it."""

import ipaddress
from collections.abc import Sequence

from compute_agent.network.routers.legs import Leg
from contracts.networks import RouterSpec

DEFAULT = {4: "0.0.0.0/0", 6: "::/0"}


def routes(spec: RouterSpec, legs: Sequence[Leg], version: int = 4) -> dict[str, str]:
    """Return {destination: next hop}, of an IP version. What is next to no leg that is there cannot be reached now."""
    near = [ipaddress.ip_interface(address).network for leg in legs for address in leg.port.addresses]
    wanted = {route.destination: route.nexthop for route in spec.routes}
    hops = [hop for hop in spec.gateway_ips if ipaddress.ip_address(hop).version == version] if spec.gateway else []
    if hops:
        wanted.setdefault(DEFAULT[version], hops[0])
    return {
        destination: hop for destination, hop in wanted.items()
        if ipaddress.ip_address(hop).version == version
        and any(ipaddress.ip_address(hop) in network for network in near)
    }  # fmt: skip
