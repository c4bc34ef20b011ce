"""A network on this host: bridge, namespace, and the two cables between it, the bridge and the host.

The namespace holds the gateway's address, DHCP and the metadata address, so that tenants may use the same addresses
as each other and as the host.
"""

import fcntl
import ipaddress
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compute_agent.errors import VifPlugFailed
from compute_agent.network import firewall, namespaces, nft
from compute_agent.network.announcing import announce
from compute_agent.network.dhcp import METADATA_ADDRESS
from compute_agent.network.forwarding import SMALLEST_IPV6_MTU
from compute_agent.network.judgement import METADATA_ADDRESSES
from compute_agent.network.links import IPV6, Links, silence_ipv6, speak_ipv6, write_setting
from compute_agent.network.names import (
    LEG,
    UPLINK,
    Mark,
    bridge_name,
    gateway_cable_name,
    interface_cable_name,
    leg_name,
    tap_name,
    tunnel_name,
    uplink_name,
    vlan_name,
)
from contracts.compute import NetworkSpec
from contracts.networks import AdvertSpec, SubnetSpec

_UPLINKS = ipaddress.IPv4Network(f"{firewall.UPLINK_NETWORK}/{firewall.UPLINK_LENGTH}")
_PAIRS = _UPLINKS.num_addresses // 2
_UPLINK_MTU = 1500
_LEG_ADDRESS_IPV6 = f"{METADATA_ADDRESSES[6]}/64"
# How the names of links begin for which a bridge is there.
_USERS = tuple(kind("") for kind in (tap_name, leg_name, interface_cable_name, gateway_cable_name))
_UPLINK_LOCK = Path("/run/lock/novella-uplinks")


def link_names(network_id: str) -> tuple[str, ...]:
    """Return the names of the links that a network has on the host's side."""
    return leg_name(network_id), uplink_name(network_id), bridge_name(network_id)


def ensure_bridge(links: Links, mark: Mark, network_id: str, mtu: int) -> int:
    """Have the network's bridge alone, as a network wants it that has no guest here; return the bridge's index."""
    return links.ensure_bridge(bridge_name(network_id), mtu, mark.network_alias(network_id))


@dataclass(frozen=True)
class Place:
    """What a network's namespace must know that ports do not say.

    Attributes:
        routed: gateways' addresses that routers hold, so that the namespace must not.
        has_ipv6: guests can have IPv6 addresses.
    """

    routed: Collection[str] = ()
    has_ipv6: bool = False


def ensure_network(links: Links, mark: Mark, network: NetworkSpec, place: Place) -> int:
    """Have the network's bridge and namespace as described; return the bridge's index."""
    alias, namespace = mark.network_alias(network.id), mark.namespace(network.id)
    bridge = ensure_bridge(links, mark, network.id, network.mtu)
    namespaces.create(namespace)
    leg = links.ensure_cable(leg_name(network.id), LEG, namespace, network.mtu, alias)
    links.join(leg, bridge)
    host_side = _ensure_uplink(links, network.id, namespace, alias)
    namespaces.run_in(namespace, lambda: _furnish(mark, network, place, host_side))
    return bridge


def zone_of(links: Links, network_id: str) -> int:
    """Return the number that stands for a network on this machine, whoever's it is, by its uplink; 0 for none yet."""
    uplink = links.find(uplink_name(network_id))
    present = links.addresses(uplink["index"]) if uplink is not None else set()
    if not present:
        return 0
    address = ipaddress.IPv4Address(min(present).partition("/")[0])
    return (int(address) - int(_UPLINKS.network_address)) // 2 + 1


def remove_network(links: Links, mark: Mark, network_id: str) -> None:
    """Remove what `ensure_network` made, the bridge unless something else is in it. DHCP must have ended before.

    Nothing of it left is a success.
    """
    for name in (leg_name(network_id), uplink_name(network_id)):
        links.remove(name)
    remove_bridge(links, network_id)
    namespaces.remove(mark.namespace(network_id))


def remove_bridge(links: Links, network_id: str) -> None:
    """Remove a network's bridge, and what carries the network, unless a guest or a router is in it."""
    bridge = links.find(bridge_name(network_id))
    inside = links.ports_of(bridge["index"]) if bridge is not None else {}
    if not any(name.startswith(_USERS) for name in inside):
        for name in (tunnel_name(network_id), vlan_name(network_id), bridge_name(network_id)):
            links.remove(name)


def _ensure_uplink(links: Links, network_id: str, namespace: str, alias: str) -> ipaddress.IPv4Address:
    """Have the cable between host and namespace; return the host's address on it."""
    index = links.ensure_cable(uplink_name(network_id), UPLINK, namespace, _UPLINK_MTU, alias)
    with _uplink_lock():
        present = links.addresses(index)
        if present:
            return ipaddress.IPv4Address(min(present).partition("/")[0])
        address = _free_pair(links.local_addresses(), network_id)
        links.ensure_addresses(index, {f"{address}/31"})
    return address


def _free_pair(taken: set[str], network_id: str) -> ipaddress.IPv4Address:
    """Return the lower address of a /31 that no link of the host has, starting from one that the network's id gives."""
    start = zlib.crc32(network_id.encode())
    for step in range(_PAIRS):
        address = _UPLINKS[(start + step) % _PAIRS * 2]
        if str(address) not in taken:
            return address
    raise VifPlugFailed(f"all {_PAIRS} uplinks of {_UPLINKS} are in use")


@contextmanager
def _uplink_lock() -> Iterator[None]:
    """Keep all installations on this machine from taking the same pair of addresses."""
    _UPLINK_LOCK.parent.mkdir(parents=True, exist_ok=True)
    with _UPLINK_LOCK.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def is_furnished(mark: Mark, network: NetworkSpec, place: Place) -> bool:
    """Whether the namespace, which is there, holds the addresses that it shall, and no others."""

    def look() -> bool:
        with Links() as links:
            leg = links.find(LEG)
            wanted = {_LEG_ADDRESS_IPV6} if place.has_ipv6 else set()
            return (
                leg is not None
                and links.addresses(leg["index"]) == _leg_addresses(_ipv4(network), place.routed)
                and links.addresses(leg["index"], IPV6) == wanted
            )

    return namespaces.run_in(mark.namespace(network.id), look)


def _furnish(mark: Mark, network: NetworkSpec, place: Place, host_side: ipaddress.IPv4Address) -> None:
    """Set up the inside of the namespace; runs in it."""
    subnets, routed = _ipv4(network), place.routed
    with Links() as links:
        links.raise_up("lo")
        mac = mark.leg_mac(network.id)
        is_new = links.ensure_mac(LEG, mac)
        leg, uplink = links.raise_up(LEG, network.mtu), links.raise_up(UPLINK)
        silence_ipv6(UPLINK)
        if place.has_ipv6:
            speak_ipv6(LEG)
            links.ensure_addresses(leg, {_LEG_ADDRESS_IPV6}, IPV6)
        else:
            silence_ipv6(LEG)
        wanted = _leg_addresses(subnets, routed)
        fresh = links.ensure_addresses(leg, wanted)
        announce(LEG, mac, sorted(wanted if is_new else fresh))
        links.ensure_addresses(uplink, {f"{host_side + 1}/31"})
        links.ensure_route("default", gateway=str(host_side), oif=uplink)
        for subnet in subnets:
            if not serves(subnet, routed):
                links.ensure_route(subnet.cidr, oif=leg, scope=253, prefsrc=METADATA_ADDRESS)
    write_setting("net/ipv4/ip_forward", "1")
    nft.apply(firewall.namespace_rules(mark, [subnet.cidr for subnet in subnets if serves(subnet, routed)]))


def serves(subnet: SubnetSpec, routed: Collection[str]) -> bool:
    """Whether each host is the subnet's gateway for its own guests: there is one, and no router holds its address."""
    return bool(subnet.gateway_ip) and subnet.gateway_ip not in routed


def can_speak_ipv6(network: NetworkSpec, prefixes: Collection[AdvertSpec]) -> bool:
    """Whether a network's guests can have IPv6 addresses, by what ports say of it or by prefixes of the document."""
    has_subnet = any(subnet.ip_version == 6 for subnet in network.subnets)
    return network.mtu >= SMALLEST_IPV6_MTU and bool(prefixes or has_subnet)


def _ipv4(network: NetworkSpec) -> list[SubnetSpec]:
    return [subnet for subnet in network.subnets if subnet.ip_version == 4]


def _leg_addresses(subnets: list[SubnetSpec], routed: Collection[str]) -> set[str]:
    gateways = {
        f"{subnet.gateway_ip}/{ipaddress.ip_network(subnet.cidr).prefixlen}"
        for subnet in subnets if serves(subnet, routed)
    }  # fmt: skip
    return {f"{METADATA_ADDRESS}/32", *gateways}
