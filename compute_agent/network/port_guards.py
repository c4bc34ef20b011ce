"""The three chains of a port: as whom it may send, what may leave it, and what may reach it.

Each is called from a verdict map by the name of the tap. A port of which the document says nothing may ask for its
address, its neighbours and its metadata, and nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from compute_agent.network import nft, security_groups
from compute_agent.network.forwarding import link_local
from compute_agent.network.judgement import (
    DHCP_PORTS,
    EGRESS,
    INGRESS,
    METADATA_ADDRESSES,
    METADATA_PORT,
    NEIGHBOUR_TYPES,
)
from compute_agent.network.names import Mark, tap_name
from compute_agent.network.ports import PluggedPort
from compute_agent.network.tracking import ANSWERED, BROKEN
from contracts.networks import GuardSpec, HostNetworks

SOURCES, SENDERS, RECEIVERS = MAPS = ("ports", "senders", "receivers")

_PREFIXES = {SOURCES: "port_", SENDERS: "out_", RECEIVERS: "in_"}
_UNSPECIFIED = "0.0.0.0"  # noqa: S104 - the source of one who has no address yet, not something to bind to
_ROUTER_ADVERT, _SOLICITATION, _ADVERTISEMENT = 134, 135, 136
# What one who has no address yet may say: it looks for routers, and listens to groups (RFC 4861, 2710, 3810).
_WITHOUT_ADDRESS = (131, 132, 133, 143)
_ARP, _IP, _IP6 = (nft.meta("protocol", name) for name in ("arp", "ip", "ip6"))
_LAYERS = {4: ("ip", _IP), 6: ("ip6", _IP6)}
_FROM_LEG, _TO_LEG = nft.meta("iifname", "nleg*"), nft.meta("oifname", "nleg*")


def chain_name(map_name: str, port_id: str) -> str:
    """Return the name of the chain that a map calls for a port."""
    return _PREFIXES[map_name] + port_id


def port_of_chain(chain: str) -> str:
    """Return the id of the port that a chain belongs to; empty for another chain."""
    return next((chain.removeprefix(word) for word in _PREFIXES.values() if chain.startswith(word)), "")


def _udp(source: int, destination: int) -> list[nft.Expression]:
    return [nft.field("udp", "sport", source), nft.field("udp", "dport", destination)]


def _neighbours() -> nft.Rule:
    return [_IP6, nft.field("icmpv6", "type", {"set": list(NEIGHBOUR_TYPES)}), nft.ACCEPT]


def _always_out() -> Iterator[nft.Rule]:
    yield [_ARP, nft.ACCEPT]
    # Once more, because before fragments are put together not every header is seen.
    yield [_IP6, nft.field("icmpv6", "type", _ROUTER_ADVERT), nft.DROP]
    yield _neighbours()
    for version, (client, server) in DHCP_PORTS.items():
        layer, protocol = _LAYERS[version]
        yield [protocol, nft.field("udp", "sport", server), nft.DROP]
        yield [protocol, *_udp(client, server), _TO_LEG, nft.ACCEPT]
        address = nft.field(layer, "daddr", METADATA_ADDRESSES[version])
        yield [address, nft.field("tcp", "dport", METADATA_PORT), _TO_LEG, nft.ACCEPT]


def _always_in() -> Iterator[nft.Rule]:
    yield [_ARP, nft.ACCEPT]
    yield [_IP6, nft.field("icmpv6", "type", _ROUTER_ADVERT), _FROM_LEG, nft.ACCEPT]
    yield _neighbours()
    for version, (client, server) in DHCP_PORTS.items():
        layer, protocol = _LAYERS[version]
        yield [protocol, *_udp(server, client), _FROM_LEG, nft.ACCEPT]
        address = nft.field(layer, "saddr", METADATA_ADDRESSES[version])
        yield [address, nft.field("tcp", "sport", METADATA_PORT), _FROM_LEG, nft.ACCEPT]


# What every port that is up may do, in chains that all of them go through first.
COMMON: Mapping[str, list[nft.Rule]] = {"always_out": list(_always_out()), "always_in": list(_always_in())}


def chains(document: HostNetworks, port: PluggedPort, mark: Mark) -> dict[str, list[nft.Rule]]:
    """Return the chains of a port by the map that calls them."""
    guard = document.guards.get(port.spec.id)
    return {
        SOURCES: [*_to_own_leg(mark.leg_mac(port.spec.network.id)), *_sources(port, guard)],
        SENDERS: list(_judged(document, guard, EGRESS, "always_out")),
        RECEIVERS: list(_judged(document, guard, INGRESS, "always_in")),
    }


def _judged(document: HostNetworks, guard: GuardSpec | None, direction: str, common: str) -> Iterator[nft.Rule]:
    if guard is not None and not guard.is_up:
        yield [nft.DROP]
        return
    if guard is not None and not guard.is_secured:
        yield [nft.ACCEPT]
        return
    groups = [id for id in (guard.group_ids if guard else ()) if id in document.groups]
    yield [nft.jump(common)]
    if any(document.groups[id].is_stateful for id in groups):
        yield [nft.mark_has(ANSWERED), nft.ACCEPT]
        yield [nft.mark_has(BROKEN), nft.DROP]
    for id in groups:
        yield [nft.jump(security_groups.chain_name(direction, id))]
    yield [nft.DROP]


def _to_own_leg(leg_mac: str) -> Iterator[nft.Rule]:
    """Yield what has the host answer its guests' questions to the metadata addresses, wherever they send them.

    Else they would go by the guest's routes, to a router on another host, which does not know whose they are, or to a
    guest that may say that it has the address.
    """
    for version, (layer, _) in _LAYERS.items():
        yield [nft.field(layer, "daddr", METADATA_ADDRESSES[version]), nft.to_mac(leg_mac)]


def identities(port: PluggedPort, guard: GuardSpec | None) -> dict[str, list[str]]:
    """Return the addresses and networks that a port may send from, by MAC address; its own comes first."""
    own = port.spec.mac_address if guard is None else guard.mac_address
    addresses = [*port.addresses(4), *port.addresses(6)] if guard is None else guard.addresses
    found = {own: list(addresses)}
    for pair in guard.pairs if guard else ():
        found.setdefault(pair.mac_address, []).append(pair.ip_prefix)
    return found


def _sources(port: PluggedPort, guard: GuardSpec | None) -> Iterator[nft.Rule]:
    """Yield the rules that let a port send only as itself."""
    known = identities(port, guard)
    if guard is not None and (guard.pairs or not guard.is_secured):
        yield from _metadata_as_itself(guard)
    if guard is not None and not guard.is_secured:
        yield [nft.ACCEPT]
        return
    macs = list(known)
    yield [nft.field("ether", "saddr", macs[0] if len(macs) == 1 else {"set": macs}, "!="), nft.DROP]
    yield [_IP6, nft.field("icmpv6", "type", _ROUTER_ADVERT), nft.DROP]
    yield [_IP, nft.field("ip", "saddr", _UNSPECIFIED), nft.field("udp", "sport", DHCP_PORTS[4][0]), nft.ACCEPT]
    yield [_IP, nft.field("udp", "sport", DHCP_PORTS[4][1]), nft.DROP]
    yield [_IP6, nft.field("udp", "sport", DHCP_PORTS[6][1]), nft.DROP]
    for mac, addresses in known.items():
        yield from _as_mac(mac, addresses)
    yield [nft.DROP]


def _as_mac(mac: str, addresses: list[str]) -> Iterator[nft.Rule]:
    ipv4 = [one for one in addresses if ":" not in one]
    ipv6 = [one for one in addresses if ":" in one]
    sender = nft.field("ether", "saddr", mac)
    claimed = nft.field("arp", "saddr ip", nft.one_of([*ipv4, _UNSPECIFIED]))
    yield [_ARP, sender, nft.field("arp", "saddr ether", mac), claimed, nft.ACCEPT]
    if ipv4:
        yield [_IP, sender, nft.field("ip", "saddr", nft.one_of(ipv4)), nft.ACCEPT]
    if ipv6:
        yield from _as_neighbour(sender, nft.without_overlaps([*ipv6, link_local(mac)]))


def _as_neighbour(sender: nft.Expression, own: list[str]) -> Iterator[nft.Rule]:
    """Yield what keeps a port from claiming others' IPv6 addresses, or from contesting them while they are tried."""
    without_address = nft.field("ip6", "saddr", "::")
    yield [_IP6, sender, _icmpv6(_ADVERTISEMENT), nft.nd_target(own, "!="), nft.DROP]
    yield [_IP6, sender, without_address, _icmpv6(_SOLICITATION), nft.nd_target(own), nft.ACCEPT]
    yield [_IP6, sender, without_address, _icmpv6({"set": list(_WITHOUT_ADDRESS)}), nft.ACCEPT]
    yield [_IP6, sender, nft.field("ip6", "saddr", nft.one_of(own)), nft.ACCEPT]


def _icmpv6(kind: Any) -> nft.Expression:
    return nft.field("icmpv6", "type", kind)


def _metadata_as_itself(guard: GuardSpec) -> Iterator[nft.Rule]:
    """Yield what keeps a port that may take others' addresses from asking for their metadata."""
    ipv4 = [one for one in guard.addresses if ":" not in one]
    ipv6 = [one for one in guard.addresses if ":" in one]
    for version, own in ((4, ipv4), (6, [*ipv6, link_local(guard.mac_address)] if ipv6 else [])):
        layer, _ = _LAYERS[version]
        asks = nft.field(layer, "daddr", METADATA_ADDRESSES[version])
        yield [asks, nft.field(layer, "saddr", nft.one_of(own), "!="), nft.DROP] if own else [asks, nft.DROP]


def tap_of(port: PluggedPort) -> str:
    """Return the name of a port's tap."""
    return tap_name(port.spec.id)
