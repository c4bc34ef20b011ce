"""Router advertisements (RFC 4861, 8106) as frames that a network's leg sends to its guests.

A routed network's guests shall send to its router, which may be on another host: such a frame comes from the router's
link-local address and names its MAC address, whoever sends it. Without a router it offers prefixes and nobody to send
to.
"""

import ipaddress
import struct
from collections.abc import Iterable, Sequence

from compute_agent.network.forwarding import SMALLEST_IPV6_MTU, link_local
from compute_agent.network.icmpv6 import option, packed_mac, to_all_nodes
from compute_agent.network.judgement import METADATA_ADDRESSES
from contracts.networks import AdvertSpec, SegmentSpec

SLAAC, STATELESS, STATEFUL = MODES = ("slaac", "dhcpv6-stateless", "dhcpv6-stateful")
ROUTER_SECONDS, VALID_SECONDS, PREFERRED_SECONDS = 1_800, 86_400, 14_400

_ADVERT = 134
_LINK_ADDRESS, _PREFIX, _MTU, _NAME_SERVERS = 1, 3, 5, 25  # options
_MANAGED, _OTHER = 0x80, 0x40
_ON_LINK, _AUTONOMOUS = 0x80, 0x40


def frames(segment: SegmentSpec, leg_mac: str) -> dict[str, dict[str, str]]:
    """Return what to send in a network, by its sender: the advertisement, and the farewell of when it ends, in hex.

    A network whose MTU is smaller than IPv6 needs has none.
    """
    found: dict[str, list[AdvertSpec]] = {}
    for one in segment.adverts if segment.mtu >= SMALLEST_IPV6_MTU else ():
        found.setdefault(one.router_mac, []).append(one)
    return {
        _sender(router_mac): {
            "advert": _frame(leg_mac, router_mac, prefixes, segment.mtu, is_over=False).hex(),
            "farewell": _frame(leg_mac, router_mac, prefixes, segment.mtu, is_over=True).hex(),
        }
        for router_mac, prefixes in sorted(found.items())
    }


def _sender(router_mac: str) -> str:
    return link_local(router_mac) if router_mac else METADATA_ADDRESSES[6]


def _frame(leg_mac: str, router_mac: str, prefixes: Sequence[AdvertSpec], mtu: int, *, is_over: bool) -> bytes:
    modes = {one.mode for one in prefixes}
    flags = (_MANAGED if STATEFUL in modes else 0) | (_OTHER if modes - {SLAAC} else 0)
    lifetime = ROUTER_SECONDS if router_mac and not is_over else 0
    message = struct.pack("!BBHBBHII", _ADVERT, 0, 0, 0, flags, lifetime, 0, 0)
    message += option(_LINK_ADDRESS, packed_mac(router_mac or leg_mac)) + option(_MTU, struct.pack("!HI", 0, mtu))
    message += b"".join(_prefix(one) for one in prefixes) + _name_servers(prefixes)
    return to_all_nodes(leg_mac, _sender(router_mac), message)


def _prefix(one: AdvertSpec) -> bytes:
    network = ipaddress.IPv6Network(one.cidr)
    flags = _ON_LINK | (0 if one.mode == STATEFUL else _AUTONOMOUS)
    header = struct.pack("!BBIII", network.prefixlen, flags, VALID_SECONDS, PREFERRED_SECONDS, 0)
    return option(_PREFIX, header + network.network_address.packed)


def _name_servers(prefixes: Iterable[AdvertSpec]) -> bytes:
    servers = list(dict.fromkeys(server for one in prefixes for server in one.name_servers))
    packed = b"".join(ipaddress.IPv6Address(server).packed for server in servers)
    return option(_NAME_SERVERS, struct.pack("!HI", 0, ROUTER_SECONDS) + packed) if servers else b""
