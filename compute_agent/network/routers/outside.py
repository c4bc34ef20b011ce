"""The outside of a single machine: an external network that leads to the host itself, as its gateway.

Its bridge gets the gateway's addresses while a router leads there, and what comes from the network by IPv4 leaves the
host under the host's own address; IPv6 goes as far as the host lets it (ADR 157). A guest in the network itself neither
hears the host there nor is heard by it.
"""

import ipaddress
from collections.abc import Mapping

from compute_agent.network import nft
from compute_agent.network.firewall import TUNNEL_PORT
from compute_agent.network.forwarding import SMALLEST_IPV6_MTU
from compute_agent.network.links import IPV6, Links, silence_ipv6, speak_ipv6
from compute_agent.network.names import Mark, bridge_name
from compute_agent.network.rule_digests import Ruleset
from compute_agent.network.underlay import FLAT
from contracts.networks import HostNetworks
from contracts.physical_networks import HOST

_FILTER, _SOURCE_NAT = 0, 100
_FAMILIES = ("ip", "ip6", "bridge")
_BRIDGES, _TAPS = "nbr*", "ntap*"


def gateways(document: HostNetworks, wires: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the addresses that the host shall have in networks that lead to it, with prefix lengths, by network id."""
    found: dict[str, set[str]] = {}
    for router in document.routers.values():
        port = router.gateway
        segment = document.networks.get(port.network_id) if port else None
        if port is None or segment is None or not router.is_up or segment.network_type != FLAT:
            continue
        if wires.get(segment.physical_network) == HOST:
            has_ipv6 = segment.mtu >= SMALLEST_IPV6_MTU
            networks = [ipaddress.ip_interface(one).network for one in port.addresses if has_ipv6 or ":" not in one]
            found.setdefault(port.network_id, set()).update(
                f"{hop}/{network.prefixlen}"
                for hop in router.gateway_ips for network in networks if ipaddress.ip_address(hop) in network
            )  # fmt: skip
    return found


def bring(mark: Mark, document: HostNetworks, wires: Mapping[str, str]) -> None:
    """Have these addresses on the bridges, which are there, and none on others; and the rules that they need."""
    wanted = gateways(document, wires)
    with Links() as links:
        for name, alias in links.aliases(mark.network_alias("")).items():
            network_id = alias.removeprefix(mark.network_alias(""))
            if name == bridge_name(network_id):
                _ensure(links, name, wanted.get(network_id, set()))
    if wanted or HOST in wires.values():
        commands = rules(mark, sorted({one for addresses in wanted.values() for one in addresses}))
        there = [Ruleset(nft.listing(family, mark.table)) for family in _FAMILIES]
        if not all(one.has(command for command in commands if _family(command) == family)
                   for family, one in zip(_FAMILIES, there, strict=True)):  # fmt: skip
            nft.apply(commands)


def _ensure(links: Links, bridge: str, addresses: set[str]) -> None:
    """Have these addresses on a bridge and no others; without one of IPv6 the host speaks none there."""
    ipv6 = {one for one in addresses if ":" in one}
    index = links.raise_up(bridge)
    links.ensure_addresses(index, addresses - ipv6)
    (speak_ipv6 if ipv6 else silence_ipv6)(bridge)
    if ipv6:
        links.ensure_addresses(index, ipv6, IPV6)


def _family(command: nft.Command) -> str:
    return str(next(iter(next(iter(command.values())).values()))["family"])


def rules(mark: Mark, addresses: list[str]) -> list[nft.Command]:
    """Return what lets the networks of these gateways out, and keeps the host from their guests."""
    ip, ip6, bridge = (nft.Table(family, mark.table) for family in _FAMILIES)
    networks = [str(ipaddress.ip_interface(one).network) for one in addresses if ":" not in one]
    return [
        ip.add(),
        ip.hook("outside", "postrouting", _SOURCE_NAT, kind="nat"),
        ip.flush("outside"),
        *(
            ip.rule("outside", nft.field("ip", "saddr", nft.spelled(one)), nft.meta("oifname", _BRIDGES, "!="),
                    nft.MASQUERADE)
            for one in networks
        ),
        *(command for table in (ip, ip6) for command in _no_tunnel(table)),
        bridge.add(),
        bridge.hook("outside_out", "output", _FILTER),
        bridge.flush("outside_out"),
        bridge.rule("outside_out", nft.meta("oifname", _TAPS), nft.DROP),
    ]  # fmt: skip


def _no_tunnel(table: nft.Table) -> list[nft.Command]:
    """Who could send to a tunnel's end, by an address of the host's, could send in any network that it carries."""
    return [
        table.add(),
        table.hook("outside_in", "input", _FILTER),
        table.flush("outside_in"),
        table.rule("outside_in", nft.meta("iifname", _BRIDGES), nft.field("udp", "dport", TUNNEL_PORT), nft.DROP),
    ]
