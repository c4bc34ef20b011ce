"""The legs of a router: cables between its namespace and the bridges of its networks."""

from collections.abc import Mapping
from dataclasses import dataclass

from compute_agent.network.forwarding import SMALLEST_IPV6_MTU, link_local
from compute_agent.network.names import gateway_cable_name, interface_cable_name
from contracts.networks import RouterPort, RouterSpec, SegmentSpec

# How the router's ends of its legs are called: those inside, and the one outside.
INSIDE, OUTSIDE = "in", "gw"
_NAME_DIGITS = 11
_DEFAULT_MTU = 1450


@dataclass(frozen=True)
class Leg:
    """A leg as it shall be. `mtu`: of its network."""

    port: RouterPort
    is_gateway: bool
    mtu: int

    @property
    def near_name(self) -> str:
        """Name of the host's end, which is in the bridge."""
        return (gateway_cable_name if self.is_gateway else interface_cable_name)(self.port.port_id)

    @property
    def far_name(self) -> str:
        """Name of the router's end."""
        return (OUTSIDE if self.is_gateway else INSIDE) + self.port.port_id.replace("-", "")[:_NAME_DIGITS]

    def addresses(self, spec: RouterSpec) -> set[str]:
        """IPv4 addresses of the router's end; those that it translates are on the gateway's."""
        own = {one for one in self.port.addresses if ":" not in one}
        return own | ({f"{one.floating_address}/32" for one in spec.floating_ips} if self.is_gateway else set())

    def addresses_ipv6(self) -> set[str]:
        """IPv6 addresses of the router's end: those of its port, and the one on the link that guests send to."""
        own = {one for one in self.port.addresses if ":" in one} if self.mtu >= SMALLEST_IPV6_MTU else set()
        return own | ({f"{link_local(self.port.mac_address)}/64"} if own else set())


def legs_of(spec: RouterSpec, segments: Mapping[str, SegmentSpec]) -> list[Leg]:
    """Return the legs of a router; none for one that is switched off."""
    if not spec.is_up:
        return []
    ports = [(port, False) for port in spec.interfaces] + ([(spec.gateway, True)] if spec.gateway else [])
    return [Leg(port, is_gateway, _mtu(segments.get(port.network_id))) for port, is_gateway in ports]


def _mtu(segment: SegmentSpec | None) -> int:
    return segment.mtu if segment else _DEFAULT_MTU
