"""One router in the kernel: looked at, and brought to what it shall be."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from compute_agent.network import connections, namespaces, nft, wiring
from compute_agent.network.announcing import announce, announce_ipv6
from compute_agent.network.links import IPV4, IPV6, Links, silence_ipv6, speak_ipv6, write_setting
from compute_agent.network.names import Mark
from compute_agent.network.routers.legs import Leg
from compute_agent.network.routers.routes import routes
from compute_agent.network.routers.rules import rules, rules_ipv6
from compute_agent.network.routers.translation import is_over
from compute_agent.network.rule_digests import Ruleset
from contracts.networks import RouterSpec

# Answers for an address only on its own leg, asks under the leg's own, keeps a second address when the first goes.
_SETTINGS = {
    "net/ipv4/conf/all/arp_ignore": "1",
    "net/ipv4/conf/all/arp_announce": "2",
    "net/ipv4/conf/all/promote_secondaries": "1",
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
}
_OWN_ZONE = 0  # a namespace has connections of its own
Fresh = list[tuple[Leg, set[str]]]
HoldNetwork = Callable[[str], AbstractContextManager[None]]


def ensure_router(mark: Mark, router_id: str, spec: RouterSpec, legs: list[Leg], joining: HoldNetwork) -> None:
    """Have a router that is up as described. Its rules are there before its legs carry anything.

    `joining`: the lock of a network, in which its bridge is had and a leg put into it.
    """
    namespace = mark.router_namespace(router_id)
    namespaces.create(namespace)
    there = namespaces.run_in(namespace, lambda: _prepare(mark, spec))
    for leg in legs:
        with joining(leg.port.network_id), Links() as links:
            if leg.far_name not in there:  # its other end may be in a namespace that somebody removed
                links.remove(leg.near_name)
            bridge = wiring.ensure_bridge(links, mark, leg.port.network_id, leg.mtu)
            alias = mark.router_alias(router_id, leg.port.network_id)
            near = links.ensure_cable(leg.near_name, leg.far_name, namespace, leg.mtu, alias)
            links.join(near, bridge)
    fresh = namespaces.run_in(namespace, lambda: _furnish(spec, legs))
    if fresh:
        with Links() as links:
            for leg, _ in fresh:
                links.await_forwarding(leg.near_name)  # else nobody hears what is said once only
        namespaces.run_in(namespace, lambda: _announce(fresh))


def _prepare(mark: Mark, spec: RouterSpec) -> set[str]:
    """Set up what is in the way of nothing; return the names of the links that are there. Runs in the namespace."""
    for family, commands in (("ip", rules(mark, spec)), ("ip6", rules_ipv6(mark, spec))):
        if not Ruleset(nft.listing(family, mark.table)).has(commands):
            nft.apply(commands)
    for path, value in _SETTINGS.items():
        write_setting(path, value)
    with Links() as links:
        links.raise_up("lo")
        return links.names()


def _furnish(spec: RouterSpec, legs: list[Leg]) -> Fresh:
    """Set up the legs and what lies behind them; return the addresses that legs did not have. Runs in the namespace."""
    fresh: Fresh = []
    with Links() as links:
        for leg in legs:
            ipv6 = leg.addresses_ipv6()
            (speak_ipv6 if ipv6 else silence_ipv6)(leg.far_name)
            links.ensure_mac(leg.far_name, leg.port.mac_address)
            index = links.raise_up(leg.far_name, leg.mtu)
            new = links.ensure_addresses(index, leg.addresses(spec)) | links.ensure_addresses(index, ipv6, IPV6)
            fresh += [(leg, new)] if new else []
        links.ensure_hops(routes(spec, legs, 4), IPV4)
        links.ensure_hops(routes(spec, legs, 6), IPV6)
    connections.end([_OWN_ZONE], lambda one: is_over(spec, one))
    return fresh


def _announce(fresh: Fresh) -> None:
    """Say to the neighbours of legs where addresses are now. Runs in the namespace."""
    for leg, addresses in fresh:
        ipv6 = {one for one in addresses if ":" in one}
        announce(leg.far_name, leg.port.mac_address, sorted(addresses - ipv6))
        announce_ipv6(leg.far_name, leg.port.mac_address, sorted(ipv6))
