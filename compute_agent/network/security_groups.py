"""Security groups as the kernel has them: a chain for each group and direction, a set for each group that is named."""

from collections.abc import Iterator

from compute_agent.network import nft
from compute_agent.network.judgement import EGRESS, INGRESS, WITH_PORTS, WITH_TYPES, port_range
from contracts.networks import ANY, HostNetworks, RuleSpec

_PREFIXES = {EGRESS: "gout_", INGRESS: "gin_"}
_LINK_LAYER = {4: "ip", 6: "ip6"}
_ALL_PORTS = (0, 65_535)


def chain_name(direction: str, group_id: str) -> str:
    """Return the name of a group's chain."""
    return _PREFIXES[direction] + group_id


def chain_names(group_id: str) -> list[str]:
    """Return the names of a group's chains."""
    return [chain_name(direction, group_id) for direction in _PREFIXES]


def is_chain(chain: str) -> bool:
    """Whether a chain is that of a group."""
    return chain.startswith(tuple(_PREFIXES.values()))


def set_name(group_id: str, version: int) -> str:
    """Return the name of the set of a group's addresses."""
    return f"m{version}_{group_id}"


def chains(document: HostNetworks) -> dict[str, list[nft.Rule]]:
    """Return the chains of all groups."""
    return {
        chain_name(direction, group_id): [_rule(rule) for rule in group.rules if rule.direction == direction]
        for group_id, group in document.groups.items()
        for direction in (INGRESS, EGRESS)
    }


def sets(document: HostNetworks) -> dict[str, tuple[int, set[str]]]:
    """Return {set: (IP version, addresses)} of all groups that a rule names."""
    found: dict[str, tuple[int, set[str]]] = {}
    for group_id in sorted(set(_named(document))):
        members = document.members.get(group_id)
        addresses = members.addresses if members else []
        for version in (4, 6):
            of_version = [one for one in addresses if (":" in one) == (version == 6)]
            found[set_name(group_id, version)] = version, set(nft.without_overlaps(of_version))
    return found


def _named(document: HostNetworks) -> Iterator[str]:
    for group in document.groups.values():
        yield from (rule.remote_group_id for rule in group.rules if rule.remote_group_id)


def _rule(rule: RuleSpec) -> nft.Rule:
    return [
        nft.meta("protocol", _LINK_LAYER[rule.ip_version]),
        *_remote(rule),
        *([] if rule.protocol == ANY else [nft.meta("l4proto", rule.protocol)]),
        *_destination(rule),
        nft.ACCEPT,
    ]


def _remote(rule: RuleSpec) -> Iterator[nft.Expression]:
    side = "saddr" if rule.direction == INGRESS else "daddr"
    if rule.remote_group_id:
        yield nft.field(_LINK_LAYER[rule.ip_version], side, "@" + set_name(rule.remote_group_id, rule.ip_version))
    elif rule.remote_prefix:
        yield nft.field(_LINK_LAYER[rule.ip_version], side, nft.one_of([rule.remote_prefix]))


def _destination(rule: RuleSpec) -> Iterator[nft.Expression]:
    """Yield what of ports, or of ICMP's type and code, must match."""
    if rule.protocol in WITH_PORTS and port_range(rule) != _ALL_PORTS:
        first, last = port_range(rule)
        value = first if first == last else {"range": [first, last]}
        yield nft.field(WITH_PORTS[rule.protocol], "dport", value)
    elif rule.protocol in WITH_TYPES:
        for name, value in (("type", rule.port_min), ("code", rule.port_max)):
            if value != ANY:
                yield nft.field(WITH_TYPES[rule.protocol], name, value)
