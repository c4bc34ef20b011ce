"""What a router lets through and what it translates, as rules of its namespace.

Of IPv4, from inside anything may go on; from outside only what is an answer, and what a floating address leads in. What
goes from inside to a floating address comes back through the router, because it gets an address of the router's too.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from compute_agent.network import nft
from compute_agent.network.names import Mark
from compute_agent.network.routers.legs import INSIDE, OUTSIDE
from contracts.networks import RouterSpec

_DESTINATION_NAT, _FILTER, _SOURCE_NAT = -100, 0, 100
_LINK_LOCAL = nft.prefix("169.254.0.0", 16)  # metadata among them: each host answers its own guests
_FROM_INSIDE, _FROM_OUTSIDE = nft.meta("iifname", f"{INSIDE}*"), nft.meta("iifname", f"{OUTSIDE}*")
_TO_INSIDE, _TO_OUTSIDE = nft.meta("oifname", f"{INSIDE}*"), nft.meta("oifname", f"{OUTSIDE}*")
_ANSWERS = nft.state("established", "related")
_LED_IN = nft.status("dnat")


def rules(mark: Mark, spec: RouterSpec) -> list[nft.Command]:
    """Return the commands that make the router's table from whatever it was, in one transaction."""
    table = nft.Table("ip", mark.table)
    hooks = [
        table.hook("forward", "forward", _FILTER, policy="drop"),
        table.hook("input", "input", _FILTER),
        table.hook("led_in", "prerouting", _DESTINATION_NAT, kind="nat"),
        table.hook("led_out", "postrouting", _SOURCE_NAT, kind="nat"),
    ]
    chains = {"forward": _forward(spec), "input": _input("icmp"), "led_in": _led_in(spec), "led_out": _led_out(spec)}
    return [table.add(), *hooks, *(command for name in chains for command in _refill(table, name, chains[name]))]


def rules_ipv6(mark: Mark, spec: RouterSpec) -> list[nft.Command]:
    """Return the same for IPv6, where nothing is translated: whoever outside knows the way may come in.

    What then reaches a guest is for its security groups to say.
    """
    table = nft.Table("ip6", mark.table)
    chains = {"forward": _forward_ipv6(spec), "input": _input("icmpv6")}
    return [
        table.add(),
        table.hook("forward", "forward", _FILTER, policy="drop"),
        table.hook("input", "input", _FILTER),
        *(command for name in chains for command in _refill(table, name, chains[name])),
    ]


def _refill(table: nft.Table, chain: str, content: Iterable[nft.Rule]) -> Iterator[nft.Command]:
    yield table.flush(chain)
    yield from (table.rule(chain, *rule) for rule in content)


def _forward(spec: RouterSpec) -> Iterator[nft.Rule]:
    yield [nft.field("ip", "daddr", _LINK_LOCAL), nft.DROP]
    inside = inside_networks(spec)
    if inside:
        yield [_FROM_OUTSIDE, nft.field("ip", "saddr", nft.one_of(inside)), nft.DROP]  # nobody outside is inside
    yield [_ANSWERS, nft.ACCEPT]
    yield [_FROM_INSIDE, nft.ACCEPT]
    yield [_FROM_OUTSIDE, _TO_INSIDE, _LED_IN, nft.ACCEPT]


def _forward_ipv6(spec: RouterSpec) -> Iterator[nft.Rule]:
    inside = inside_networks(spec, 6)
    if inside:
        yield [_FROM_OUTSIDE, nft.field("ip6", "saddr", nft.one_of(inside)), nft.DROP]
    yield [_ANSWERS, nft.ACCEPT]
    yield [_FROM_INSIDE, nft.ACCEPT]
    if inside:
        yield [_FROM_OUTSIDE, _TO_INSIDE, nft.field("ip6", "daddr", nft.one_of(inside)), nft.ACCEPT]


def _input(asking: str) -> Iterator[nft.Rule]:
    """Yield what may come to the router itself from outside; `asking`: the protocol in which it is looked for."""
    yield [_FROM_OUTSIDE, _ANSWERS, nft.ACCEPT]
    yield [_FROM_OUTSIDE, nft.meta("l4proto", asking), nft.ACCEPT]
    yield [_FROM_OUTSIDE, nft.DROP]


def _led_in(spec: RouterSpec) -> Iterator[nft.Rule]:
    for one in spec.floating_ips:
        yield [nft.field("ip", "daddr", one.floating_address), nft.destination_nat(one.fixed_address)]


def _led_out(spec: RouterSpec) -> Iterator[nft.Rule]:
    for one in spec.floating_ips:
        sender = nft.field("ip", "saddr", one.fixed_address)
        for way in (_TO_OUTSIDE, _LED_IN):
            yield [sender, way, nft.source_nat(one.floating_address)]
    own, inside = own_address(spec), inside_networks(spec)
    if own and inside:
        yield [nft.field("ip", "saddr", nft.one_of(inside)), _LED_IN, _TO_INSIDE, nft.source_nat(own)]
    if own and spec.has_snat:
        yield [_TO_OUTSIDE, nft.source_nat(own)]


def own_address(spec: RouterSpec) -> str:
    """Return the address under which the router's networks are seen outside; empty without a gateway."""
    held = spec.gateway.addresses if spec.gateway else []
    return next((one.partition("/")[0] for one in held if ":" not in one), "")


def inside_networks(spec: RouterSpec, version: int = 4) -> list[str]:
    """Return the networks of the router's interfaces, of an IP version."""
    held = (ipaddress.ip_interface(one) for port in spec.interfaces for one in port.addresses)
    return sorted(str(one.network) for one in held if one.version == version)
