"""Where routers live: on one host each, which carries it and its ports until it is not heard of any more.

Callers hold the lock of the router's row.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models import Q

from cloud.networks.models import Network, Port, Router
from cloud.networks.models.network_types import FLAT, VLAN
from cloud.networks.selectors.hosts import RouterHost, router_hosts
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
    elif not host:
        host = _choose(router_hosts())
    _put(router, host, ports, set(touched))


def misplaced(hosts: Sequence[RouterHost]) -> list[str]:
    """Return the ids of the routers that have ports, and no host or one that carries nothing now."""
    sound = [one.name for one in hosts if not one.is_silent]
    found = Router.objects.exclude(host__in=sound).filter(ports__isnull=False)
    return list(found.order_by("id").values_list("id", flat=True).distinct())


def move(router: Router, hosts: Sequence[RouterHost]) -> bool:
    """Have a router on another host, if there is one; tell whether there was."""
    host = _choose([one for one in hosts if one.name != router.host])
    ports = _ports(router)
    if host and ports:
        _put(router, host, ports, set())
    return bool(host)


def _ports(router: Router) -> list[Port]:
    return list(Port.objects.filter(router=router).order_by("id"))


def _choose(hosts: Sequence[RouterHost]) -> str:
    """Return the host with the fewest routers of those that can take one; empty for none."""
    names = [one.name for one in hosts if one.is_open and not one.is_silent]
    counts = Counter(Router.objects.exclude(host="").values_list("host", flat=True))
    return min(names, key=lambda name: (counts[name], name), default="")


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
