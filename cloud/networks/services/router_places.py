"""Where routers live: on one host each, which carries it and its ports until it is not heard of any more.

Callers hold the lock of the router's row.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models import Q

from cloud.networks.models import Network, Port, Router
from cloud.networks.models.network_types import FLAT, VLAN
from cloud.networks.selectors.hosts import RouterHost, router_hosts
from cloud.networks.selectors.underlay import tunnel_addresses, underlays
from cloud.networks.services import changes


def settle(router: Router, touched: Collection[str] = ()) -> None:
    """Have a router on a host while it has ports, and tell the hosts that its change concerns.

    Where no host can carry it, it waits for one: see `misplaced`.

    Args:
        router: as its ports are now.
        touched: ids of the networks in which it has another leg than before, or none any more.
    """
    ports = _ports(router)
    host = router.host
    if not ports:
        host = ""
    elif not host or not _wires(ports) <= wires_of([host])[host]:
        host = _choose(router_hosts(), ports) or host
    _put(router, host, ports, set(touched))


def misplaced(hosts: Sequence[RouterHost]) -> list[str]:
    """Return the ids of the routers that have ports, and no host, one that carries nothing now, or one without a wire.

    The last only where another host has that wire.
    """
    sound = [one.name for one in hosts if not one.is_silent]
    found = Router.objects.exclude(host__in=sound).filter(ports__isnull=False)
    there = wires_of(sound)
    wired = Port.objects.filter(router__host__in=sound).exclude(network__physical_network="")
    cut_off = {
        router_id
        for router_id, host, wire in wired.values_list("router_id", "host", "network__physical_network")
        if wire not in there[host] and any(wire in wires for wires in there.values())
    }
    return sorted({*found.values_list("id", flat=True), *cut_off})


def move(router: Router, hosts: Sequence[RouterHost]) -> bool:
    """Have a router on another host, if there is one; tell whether there was."""
    ports = _ports(router)
    host = _choose([one for one in hosts if one.name != router.host], ports)
    if host and ports:
        _put(router, host, ports, set())
    return bool(host)


def _ports(router: Router) -> list[Port]:
    return list(Port.objects.filter(router=router).select_related("network").order_by("id"))


def _wires(ports: Sequence[Port]) -> set[str]:
    """Return the physical networks that a router with these ports must reach."""
    return {port.network.physical_network for port in ports} - {""}


def wires_of(hosts: Collection[str]) -> dict[str, set[str]]:
    """Return the physical networks that hosts have."""
    said = {one.host: set(one.physical_networks) for one in underlays(hosts)}
    return {host: said.get(host, set()) for host in hosts}


def _choose(hosts: Sequence[RouterHost], ports: Sequence[Port]) -> str:
    """Return the host that lacks the fewest wires, then the one with the fewest routers, of those that can take one.

    One that other hosts reach comes before one that they do not. Empty for none: there is none.
    """
    names = [one.name for one in hosts if one.is_open and not one.is_silent]
    counts = Counter(Router.objects.exclude(host="").values_list("host", flat=True))
    wanted, there, reached = _wires(ports), wires_of(names), tunnel_addresses(names)
    return min(
        names, default="", key=lambda name: (len(wanted - there[name]), name not in reached, counts[name], name)
    )


def _put(router: Router, host: str, ports: Sequence[Port], touched: set[str]) -> None:
    before = router.host
    if host != before:
        Router.objects.filter(id=router.id).update(host=host)
        router.host = host
        touched |= {port.network_id for port in ports}
    Port.objects.filter(router=router).exclude(host=host).update(host=host)
    on_wire = Q(is_external=True, network_type__in=(FLAT, VLAN))  # nobody need be told where in it a router is
    told = Network.objects.filter(id__in=touched).exclude(on_wire).values_list("id", flat=True)
    changes.note({changes.of_host(before), changes.of_host(host), *map(changes.of_network, told)})
