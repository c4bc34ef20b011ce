"""What hangs together: networks, routers, servers' ports, floating IPs. A bounded part of it, in nine queries."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from cloud.networks.models import FixedIp, FloatingIp, Network, Port, Router, Subnet
from cloud.networks.models.device_owners import ROUTER_GATEWAY


@dataclass(frozen=True)
class NetworkSeen:
    """A network. `carrier`: what carries it between hosts. `ports`: of servers in it, shown or not."""

    id: str
    name: str
    is_external: bool
    is_up: bool
    carrier: str
    cidrs: tuple[str, ...]
    ports: int


@dataclass(frozen=True)
class LegSeen:
    """A router's port in a network."""

    port_id: str
    network_id: str
    addresses: tuple[str, ...]
    is_gateway: bool


@dataclass(frozen=True)
class RouterSeen:
    """A router with its legs in the networks that are shown."""

    id: str
    name: str
    host: str
    is_up: bool
    legs: tuple[LegSeen, ...]


@dataclass(frozen=True)
class PortSeen:
    """A server's port. `addresses`: fixed ones, each with the floating one that leads there, empty for none."""

    id: str
    network_id: str
    device_id: str
    host: str
    status: str
    is_up: bool
    addresses: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Topology:
    """The part that is shown, and of how many networks it is one."""

    networks: tuple[NetworkSeen, ...]
    routers: tuple[RouterSeen, ...]
    ports: tuple[PortSeen, ...]
    network_total: int


def topology(project_id: str, network_id: str, networks: int, ports_each: int) -> Topology:
    """Return the networks of a project, or one of them, with the external ones that their routers lead to.

    Args:
        project_id: empty for all projects.
        network_id: empty for all networks.
        networks: at most so many; the oldest come first.
        ports_each: at most so many servers' ports of each; the oldest come first.
    """
    wanted = Q()
    if project_id:
        used = Port.objects.filter(project_id=project_id, is_leaving=False).values("network_id")
        wanted &= Q(project_id=project_id) | Q(id__in=used)
    if network_id:
        wanted &= Q(id=network_id)
    rows = Network.objects.filter(wanted)
    chosen = list(rows.order_by("created_at", "id").values_list("id", flat=True)[:networks])
    routers = _routers(chosen)
    outside = {leg.network_id for router in routers for leg in router.legs}
    shown = _networks({*chosen, *outside})
    return Topology(shown, routers, _ports(chosen, ports_each), rows.count())


def projects_with_networks() -> list[str]:
    """Return the projects that have networks, by id."""
    return list(Network.objects.order_by("project_id").values_list("project_id", flat=True).distinct())


def _networks(ids: Collection[str]) -> tuple[NetworkSeen, ...]:
    cidrs: dict[str, list[str]] = defaultdict(list)
    for key, cidr in Subnet.objects.filter(network__in=ids).order_by("created_at", "id").values_list(
        "network_id", "cidr"
    ):
        cidrs[key].append(cidr)
    held = Port.objects.filter(network__in=ids, position__gte=0, is_leaving=False)
    counts = dict(held.order_by().values_list("network_id").annotate(Count("id")))
    return tuple(
        NetworkSeen(one.id, one.name or one.id, one.is_external, one.admin_state_up, _carrier(one),
                    tuple(cidrs[one.id]), counts.get(one.id, 0))
        for one in Network.objects.filter(id__in=ids).order_by("created_at", "id")
    )


def _carrier(network: Network) -> str:
    words = (network.network_type, network.physical_network or "", network.segmentation_id or "")
    return " ".join(str(word) for word in words if word)


def _routers(network_ids: Collection[str]) -> tuple[RouterSeen, ...]:
    """Return the routers with an interface in one of the networks, and all their legs there and outside."""
    found = Router.objects.filter(ports__network__in=network_ids).distinct().order_by("created_at", "id")
    routers = {one.id: one for one in found}
    known = Q(network__in=network_ids) | Q(device_owner=ROUTER_GATEWAY)
    ports = list(Port.objects.filter(known, router__in=routers).order_by("created_at", "id"))
    addresses = _addresses([one.id for one in ports])
    legs: dict[str, list[LegSeen]] = defaultdict(list)
    for one in ports:
        leg = LegSeen(one.id, one.network_id, tuple(addresses[one.id].values()), one.device_owner == ROUTER_GATEWAY)
        legs[str(one.router_id)].append(leg)
    return tuple(
        RouterSeen(key, one.name or key, one.host, one.admin_state_up, tuple(legs[key]))
        for key, one in routers.items()
    )


def _ports(network_ids: Collection[str], each: int) -> tuple[PortSeen, ...]:
    rows = Port.objects.filter(network__in=network_ids, position__gte=0, is_leaving=False)
    place = Window(RowNumber(), partition_by="network", order_by=[F("created_at"), F("id")])
    ports = list(rows.annotate(place=place).filter(place__lte=each).order_by("created_at", "id"))
    addresses = _addresses([one.id for one in ports])
    fixed = [key for held in addresses.values() for key in held]
    floating = dict(FloatingIp.objects.filter(fixed_ip__in=fixed).values_list("fixed_ip_id", "floating_ip_address"))
    return tuple(
        PortSeen(
            one.id, one.network_id, one.device_id, one.host, one.status, one.admin_state_up,
            tuple((address, floating.get(key, "")) for key, address in addresses[one.id].items()),
        )
        for one in ports
    )  # fmt: skip


def _addresses(port_ids: Collection[str]) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = defaultdict(dict)
    rows = FixedIp.objects.filter(port__in=port_ids).order_by("id")
    for key, port_id, address in rows.values_list("id", "port_id", "ip_address"):
        found[port_id][key] = address
    return found
