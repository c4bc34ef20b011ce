"""What carries the networks of a host to other hosts, and whom they reach there: parts of its document."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db.models import OuterRef, QuerySet, Subquery

from cloud.core.kept import Kept
from cloud.networks.models import FixedIp, Network, Port, Subnet
from cloud.networks.models.device_owners import ROUTER_INTERFACE
from cloud.networks.models.network_types import FLAT, LOCAL, VXLAN
from cloud.networks.selectors.underlay import tunnel_addresses
from cloud.networks.services.specs import subnet_spec
from contracts.networks import AdvertSpec, Neighbour, NeighboursSpec, SegmentSpec

_WITHOUT_NUMBER = (FLAT, LOCAL)
_BY_DHCPV6 = ("dhcpv6-stateful", "dhcpv6-stateless")
_elsewhere: Kept[tuple[str, str, str, str, str]] = Kept(
    lambda network_ids, host: (
        Port.objects.filter(network__in=network_ids, is_leaving=False)
        .exclude(host__in=("", host))
        .order_by("mac_address")
        .values_list("id", "network_id", "mac_address", "host", "device_owner")
    )
)
_addresses_elsewhere: Kept[tuple[str, str]] = Kept(
    lambda network_ids, host: (
        FixedIp.objects.filter(port__network__in=network_ids)
        .exclude(port__host__in=("", host))
        .order_by("id")
        .values_list("port_id", "ip_address")
    )
)


def _with_routers(network_ids: Collection[str]) -> QuerySet[Subnet]:
    gateway = FixedIp.objects.filter(
        subnet=OuterRef("id"), ip_address=OuterRef("gateway_ip"), port__router__isnull=False
    )
    rows = Subnet.objects.filter(network__in=network_ids)
    return rows.annotate(router_mac=Subquery(gateway.values("port__mac_address")[:1])).order_by("cidr", "id")


_subnets_of: Kept[Subnet] = Kept(_with_routers)


def segments_of(networks: Mapping[str, Network]) -> dict[str, SegmentSpec]:
    """Return what carries each of these networks, which of their gateways are routers, and what is advertised there.

    One query for any number.
    """
    subnets = _subnets(networks)
    return {
        id: SegmentSpec(
            network_type=_carrier(network),
            mtu=network.mtu,
            segmentation_id=network.segmentation_id or 0,
            physical_network=network.physical_network,
            routed=sorted(subnet.gateway_ip for subnet in subnets[id] if subnet.router_mac),
            adverts=[_advert(one, one.ipv6_ra_mode) for one in subnets[id] if is_advertised(one)],
            leased=[_advert(one, one.ipv6_address_mode) for one in subnets[id] if is_only_leased(one)],
            subnets=[subnet_spec(one) for one in subnets[id]],
        )
        for id, network in sorted(networks.items())
    }


def _carrier(network: Network) -> str:
    """Return the type of what carries a network; a row without the number that its type needs is carried nowhere."""
    is_whole = network.network_type in _WITHOUT_NUMBER or network.segmentation_id is not None
    return network.network_type if is_whole else LOCAL


def _subnets(network_ids: Collection[str]) -> dict[str, list[Subnet]]:
    """Return the subnets of networks, each with the MAC address of the router that holds its gateway, by network."""
    found: dict[str, list[Subnet]] = defaultdict(list)
    for subnet in _subnets_of(network_ids=list(network_ids)):
        found[subnet.network_id].append(subnet)
    return found


def is_advertised(subnet: Subnet) -> bool:
    """Tell whether a subnet's own network advertises it; without a mode, somebody else does."""
    return bool(subnet.enable_dhcp and subnet.ipv6_ra_mode)


def is_only_leased(subnet: Subnet) -> bool:
    """Tell whether somebody else advertises a subnet, and its guests ask us for the rest by DHCPv6."""
    return bool(subnet.enable_dhcp and not subnet.ipv6_ra_mode and subnet.ipv6_address_mode in _BY_DHCPV6)


def _advert(subnet: Subnet, mode: str) -> AdvertSpec:
    return AdvertSpec(
        cidr=subnet.cidr,
        mode=mode,
        router_mac=subnet.router_mac or "",  # type: ignore[attr-defined]  # of `_subnets`
        name_servers=[one for one in subnet.dns_nameservers if ":" in one],
    )


def neighbours_of(host: str, networks: Mapping[str, Network]) -> dict[str, NeighboursSpec]:
    """Return the ports that these networks have on other hosts, in four queries for any number of them.

    A host without a tunnel reaches nobody, and is reached by nobody.
    """
    carried = sorted(id for id, network in networks.items() if network.network_type == VXLAN)
    if not carried or not tunnel_addresses([host]):
        return {}
    ports = _elsewhere(network_ids=carried, host=host)
    tunnels = tunnel_addresses({where for *_, where, _ in ports})
    addresses = _addresses(host, carried)
    found: dict[str, list[Neighbour]] = defaultdict(list)
    for id, network_id, mac_address, where, owner in ports:
        if where in tunnels:
            found[network_id].append(
                Neighbour(
                    mac_address=mac_address, addresses=addresses[id], tunnel_ip=tunnels[where],
                    is_router=owner == ROUTER_INTERFACE,
                )
            )  # fmt: skip
    return {network_id: NeighboursSpec(ports=found[network_id]) for network_id in sorted(found)}


def _addresses(host: str, network_ids: list[str]) -> dict[str, list[str]]:
    """Return the addresses of ports of networks that are on other hosts, by port."""
    found: dict[str, list[str]] = defaultdict(list)
    for port_id, address in _addresses_elsewhere(network_ids=network_ids, host=host):
        found[port_id].append(address)
    return found
