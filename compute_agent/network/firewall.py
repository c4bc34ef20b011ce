"""Who may send what: each guest only as itself, no guest to the host's bridge, no tenant to another's uplink.

What a port may send as itself, and what may pass it, stands in `port_guards`.
"""

from collections.abc import Collection

from compute_agent.network import nft, port_guards, tracking
from compute_agent.network.names import CARRIERS, LEG, UPLINK, Mark

UPLINK_NETWORK = "100.64.0.0"
UPLINK_LENGTH = 16
TUNNEL_PORT = 4789

_BEFORE_ALL = -300
_FILTER = 0
_SOURCE_NAT = 100
_BEFORE_FILTER = -20
_JUST_BEFORE_FILTER = -10


def host_rules(mark: Mark) -> list[nft.Command]:
    """What every host of ours needs once. Applied again it changes nothing."""
    return [*bridge_rules(mark), *tracking.host_rules(mark), *_routing_rules(mark)]


def bridge_rules(mark: Mark) -> list[nft.Command]:
    """What is the same for all ports: where each one's own chains are called from."""
    bridge = nft.Table("bridge", mark.table)
    return [
        bridge.add(),
        *(bridge.verdict_map(name) for name in port_guards.MAPS),
        *(command for chain, rules in port_guards.COMMON.items() for command in bridge.fill(chain, rules)),
        bridge.hook("prerouting", "prerouting", _BEFORE_ALL),
        bridge.flush("prerouting"),
        bridge.rule("prerouting", nft.jump_by_link(port_guards.SOURCES)),
        # What leaves a guest and what reaches another, each by its own port's rules, and after fragments were put
        # together and connections looked up.
        bridge.hook("outgoing", "forward", _BEFORE_FILTER),
        bridge.flush("outgoing"),
        # The leg serves the guests of this host alone: others' legs have the same addresses.
        bridge.rule("outgoing", nft.meta("iifname", "nleg*"), nft.meta("oifname", "ntap*", "!="), nft.DROP),
        bridge.rule("outgoing", nft.meta("oifname", "nleg*"), nft.meta("iifname", "ntap*", "!="), nft.DROP),
        bridge.rule("outgoing", nft.jump_by_link(port_guards.SENDERS)),
        # Before br_netfilter's own hook, at 0, which does not go on to a chain of the same priority that was there
        # before it: as on a host that heard its document before it had a bridge.
        bridge.hook("reaching", "forward", _JUST_BEFORE_FILTER),
        bridge.flush("reaching"),
        bridge.rule("reaching", nft.jump_by_link(port_guards.RECEIVERS, "oifname")),
        # Where earlier releases had it, at 0.
        bridge.chain("incoming"), bridge.flush("incoming"), bridge.delete_chain("incoming"),
        # A bridge hears what is sent to its own address: without this a guest could talk to the host behind
        # the back of its network's namespace.
        bridge.hook("input", "input", _FILTER),
        bridge.flush("input"),
        *(
            bridge.rule("input", nft.meta("iifname", f"{kind}*"), nft.DROP)
            for kind in ("ntap", "nleg", "nrt", *CARRIERS)
        ),
    ]


def _routing_rules(mark: Mark) -> list[nft.Command]:
    ip = nft.Table("ip", mark.table)
    return [
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
        # Who could send to a tunnel's end, by the host's own address, could send in any network that it carries.
        ip.rule("forward", nft.meta("iifname", "nup*"), nft.field("udp", "dport", TUNNEL_PORT), nft.DROP),
        ip.hook("input", "input", _FILTER),
        ip.flush("input"),
        ip.rule("input", nft.meta("iifname", "nup*"), nft.field("udp", "dport", TUNNEL_PORT), nft.DROP),
    ]


def namespace_rules(mark: Mark, served: Collection[str]) -> list[nft.Command]:
    """What a network's namespace does: let guests out under its own address, and nobody in.

    `served`: the subnets whose gateway it is; those of a router's have no other way out.
    """
    table = nft.Table("ip", mark.table)
    answers = nft.state("established", "related")
    return [
        table.add(),
        table.hook("postrouting", "postrouting", _SOURCE_NAT, kind="nat"),
        table.flush("postrouting"),
        table.rule("postrouting", nft.meta("oifname", UPLINK), nft.MASQUERADE),
        table.hook("forward", "forward", _FILTER, policy="drop"),
        table.flush("forward"),
        *(
            table.rule("forward", nft.meta("iifname", LEG), nft.field("ip", "saddr", nft.spelled(cidr)), nft.ACCEPT)
            for cidr in sorted(served)
        ),
        table.rule("forward", nft.meta("iifname", UPLINK), answers, nft.ACCEPT),
        table.hook("input", "input", _FILTER),
        table.flush("input"),
        table.rule("input", nft.meta("iifname", UPLINK), answers, nft.ACCEPT),
        table.rule("input", nft.meta("iifname", UPLINK), nft.field("ip", "protocol", "icmp"), nft.ACCEPT),
        table.rule("input", nft.meta("iifname", UPLINK), nft.DROP),
    ]


def remove_tables(mark: Mark) -> None:
    """Remove our tables from the namespace of the calling thread."""
    ours = (mark.table, mark.sightings_table)
    found = [nft.Table(family, name) for family, name in sorted(nft.tables()) if name in ours]
    if found:
        nft.apply([table.delete() for table in found])

