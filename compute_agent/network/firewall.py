"""Who may send what: each guest only as itself, no guest to the host's bridge, no tenant to another's uplink.

Stateless and in the bridge family where it is about taps, because that works on every kernel; security groups come
on top of it later.
"""

from compute_agent.network import nft
from compute_agent.network.names import Mark, leg_name, tap_name
from compute_agent.network.ports import PluggedPort
from compute_agent.network.rule_digests import Ruleset

UPLINK_NETWORK = "100.64.0.0"
UPLINK_LENGTH = 16
LEG = "leg"
UPLINK = "uplink"

_PORTS = "ports"
_BEFORE_ALL = -300
_FILTER = 0
_SOURCE_NAT = 100
_UNSPECIFIED = "0.0.0.0"  # noqa: S104 - the source of one who has no address yet, not something to bind to


def _chain(port_id: str) -> str:
    return f"port_{port_id}"


def host_rules(mark: Mark) -> list[nft.Command]:
    """What every host of ours needs once. Applied again it changes nothing."""
    bridge, ip = nft.Table("bridge", mark.table), nft.Table("ip", mark.table)
    return [
        bridge.add(),
        bridge.verdict_map(_PORTS),
        bridge.hook("prerouting", "prerouting", _BEFORE_ALL),
        bridge.flush("prerouting"),
        bridge.rule("prerouting", nft.jump_by_link(_PORTS)),
        # A bridge hears what is sent to its own address: without this a guest could talk to the host behind
        # the back of its network's namespace.
        bridge.hook("input", "input", _FILTER),
        bridge.flush("input"),
        *(bridge.rule("input", nft.meta("iifname", f"{kind}*"), nft.DROP) for kind in ("ntap", "nleg")),
        ip.add(),
        ip.hook("postrouting", "postrouting", _SOURCE_NAT, kind="nat"),
        ip.flush("postrouting"),
        ip.rule(
            "postrouting",
            nft.field("ip", "saddr", nft.prefix(UPLINK_NETWORK, UPLINK_LENGTH)),
            nft.meta("oifname", "nup*", "!="),
            # Bridged packets pass here too where br_netfilter is loaded; a tenant's subnet may be of that range.
            nft.meta("oifname", "nbr*", "!="),
            nft.MASQUERADE,
        ),
        ip.hook("forward", "forward", _FILTER),
        ip.flush("forward"),
        ip.rule("forward", nft.meta("iifname", "nup*"), nft.meta("oifname", "nup*"), nft.DROP),
    ]


def namespace_rules(mark: Mark) -> list[nft.Command]:
    """What a network's namespace does: let guests out under its own address, and nobody in."""
    table = nft.Table("ip", mark.table)
    answers = nft.state("established", "related")
    return [
        table.add(),
        table.hook("postrouting", "postrouting", _SOURCE_NAT, kind="nat"),
        table.flush("postrouting"),
        table.rule("postrouting", nft.meta("oifname", UPLINK), nft.MASQUERADE),
        table.hook("forward", "forward", _FILTER, policy="drop"),
        table.flush("forward"),
        table.rule("forward", nft.meta("iifname", LEG), nft.ACCEPT),
        table.rule("forward", nft.meta("iifname", UPLINK), answers, nft.ACCEPT),
        table.hook("input", "input", _FILTER),
        table.flush("input"),
        table.rule("input", nft.meta("iifname", UPLINK), answers, nft.ACCEPT),
        table.rule("input", nft.meta("iifname", UPLINK), nft.field("ip", "protocol", "icmp"), nft.ACCEPT),
        table.rule("input", nft.meta("iifname", UPLINK), nft.DROP),
    ]


def port_rules(mark: Mark, port: PluggedPort) -> list[nft.Command]:
    """Let a port send only as itself. The host's rules must be there."""
    table, chain = nft.Table("bridge", mark.table), _chain(port.spec.id)
    mac, tap = port.spec.mac_address, tap_name(port.spec.id)
    ipv4, ipv6 = port.addresses(4), port.addresses(6)
    arp, ip = nft.meta("protocol", "arp"), nft.meta("protocol", "ip")
    client, server = nft.field("udp", "sport", 68), nft.field("udp", "sport", 67)
    return [
        table.chain(chain),
        table.flush(chain),
        table.rule(chain, nft.field("ether", "saddr", mac, "!="), nft.DROP),
        table.rule(chain, arp, nft.field("arp", "saddr ether", mac, "!="), nft.DROP),
        table.rule(chain, arp, nft.field("arp", "saddr ip", nft.one_of([*ipv4, _UNSPECIFIED])), nft.ACCEPT),
        table.rule(chain, ip, nft.field("ip", "saddr", _UNSPECIFIED), client, nft.ACCEPT),
        table.rule(chain, ip, nft.field("ip", "protocol", "udp"), server, nft.DROP),
        *([table.rule(chain, ip, nft.field("ip", "saddr", nft.one_of(ipv4)), nft.ACCEPT)] if ipv4 else []),
        *(_ipv6_rules(table, chain, ipv6) if ipv6 else []),
        table.rule(chain, nft.DROP),
        table.map_element("add", _PORTS, tap, chain),
    ]


def _ipv6_rules(table: nft.Table, chain: str, addresses: list[str]) -> list[nft.Command]:
    ip6 = nft.meta("protocol", "ip6")
    sources = {"set": [*addresses, "::", nft.prefix("fe80::", 10)]}
    return [
        table.rule(chain, ip6, nft.field("icmpv6", "type", "nd-router-advert"), nft.DROP),
        table.rule(chain, ip6, nft.field("ip6", "nexthdr", "udp"), nft.field("udp", "sport", 547), nft.DROP),
        table.rule(chain, ip6, nft.field("ip6", "saddr", sources), nft.ACCEPT),
    ]


def without_port(mark: Mark, port_id: str) -> list[nft.Command]:
    """Forget a port, whether or not it is known: what lacks is added first, so that one transaction does for both."""
    table, chain, tap = nft.Table("bridge", mark.table), _chain(port_id), tap_name(port_id)
    return [
        table.add(),
        table.verdict_map(_PORTS),
        table.chain(chain),
        table.map_element("add", _PORTS, tap, chain),
        table.map_element("delete", _PORTS, tap, chain),
        table.flush(chain),
        table.delete_chain(chain),
    ]


def is_guarded(ruleset: Ruleset, mark: Mark, port: PluggedPort) -> bool:
    """Whether a port may send what it should, and nothing else, by the rules of our bridge table."""
    host = host_rules(mark)
    return (
        all(ruleset.has(chain, host) for chain in ("prerouting", "input"))
        and ruleset.has(_chain(port.spec.id), port_rules(mark, port), tap_name(port.spec.id))
    )


def remove_tables(mark: Mark) -> None:
    """Remove our tables from the namespace of the calling thread."""
    found = [nft.Table(family, name) for family, name in sorted(nft.tables()) if name == mark.table]
    if found:
        nft.apply([table.delete() for table in found])


__all__ = [
    "LEG", "UPLINK", "host_rules", "is_guarded", "leg_name", "namespace_rules", "port_rules", "remove_tables",
    "without_port",
]  # fmt: skip
