"""Connections of bridged packets: the bridge family cannot ask for their state, so it is written into the mark before.

A packet that crosses a bridge passes the hooks of IP too (br_netfilter). There its connection is looked up, in a zone
for each network, because tenants may use the same addresses; what comes of it, two bits say to the bridge's own
chains. Without br_netfilter no packet belongs to a connection: answers are dropped, nothing is opened.
"""

from compute_agent.network import nft
from compute_agent.network.names import Mark, bridge_name

ANSWERED = 0x20000000  # belongs to a connection that was let pass
BROKEN = 0x10000000  # to none, and begins none

ZONES = "zones"
_RAW = -300
_AFTER_LOOKUP = -150
_ON_BRIDGE = nft.meta("iifname", "nbr*")
_FLAGS: nft.Expression = {"payload": {"protocol": "tcp", "field": "flags"}}
_BEGINNING: nft.Expression = {
    "match": {
        "op": "!=",
        "left": {"&": [_FLAGS, {"|": [{"|": [{"|": ["fin", "syn"]}, "rst"]}, "ack"]}]},
        "right": "syn",
    }
}


def host_rules(mark: Mark) -> list[nft.Command]:
    """What every host of ours needs once. Applied again it changes nothing."""
    table = nft.Table("inet", mark.table)
    return [
        table.add(),
        table.verdict_map(ZONES),
        table.hook("zone", "prerouting", _RAW),
        table.flush("zone"),
        table.rule("zone", nft.jump_by_link(ZONES)),
        table.hook("state", "prerouting", _AFTER_LOOKUP),
        table.flush("state"),
        table.rule("state", _ON_BRIDGE, nft.mark_without(ANSWERED | BROKEN)),
        table.rule("state", _ON_BRIDGE, nft.state("established", "related"), nft.mark_with(ANSWERED)),
        table.rule("state", _ON_BRIDGE, nft.state("invalid"), nft.mark_with(BROKEN)),
        # Else a connection that was ended here would be taken up again by its next packet.
        table.rule(
            "state", _ON_BRIDGE, nft.state("new"), nft.meta("l4proto", "tcp"), _BEGINNING, nft.mark_with(BROKEN)
        ),
    ]


def zone_chain(network_id: str) -> str:
    """Return the name of the chain that puts a network's connections into their zone."""
    return f"zone_{network_id}"


def zone_rules(mark: Mark, network_id: str, zone: int) -> list[nft.Command]:
    """Have a network's connections in a zone of their own."""
    table, chain = nft.Table("inet", mark.table), zone_chain(network_id)
    return [
        *table.fill(chain, [[nft.in_zone(zone)]]),
        table.map_element("add", ZONES, bridge_name(network_id), chain),
    ]


def without_zone(mark: Mark, network_id: str) -> list[nft.Command]:
    """Forget a network, whether or not it is known."""
    table, chain, bridge = nft.Table("inet", mark.table), zone_chain(network_id), bridge_name(network_id)
    return [
        table.add(),
        table.verdict_map(ZONES),
        table.chain(chain),
        table.map_element("add", ZONES, bridge, chain),
        table.map_element("delete", ZONES, bridge, chain),
        table.flush(chain),
        table.delete_chain(chain),
    ]
