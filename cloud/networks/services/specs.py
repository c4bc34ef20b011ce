"""Ports as hosts need them: the whole of their networks included, so that a host asks nobody."""

from collections import defaultdict

from django.db.models import QuerySet

from cloud.networks.models import FixedIp, Network, Port, Subnet
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec, RouteSpec, SubnetSpec


def specs(ports: QuerySet[Port]) -> list[tuple[str, PortSpec]]:
    """Return ports with their servers' uuids in the queryset's order, in three queries for any number of them."""
    rows = list(ports.select_related("network"))
    addresses: dict[str, list[FixedIpSpec]] = defaultdict(list)
    for fixed in FixedIp.objects.filter(port__in=rows).order_by("id"):
        addresses[fixed.port_id].append(FixedIpSpec(subnet_id=fixed.subnet_id, ip_address=fixed.ip_address))
    networks = _networks({row.network_id: row.network for row in rows})
    return [
        (row.device_id, PortSpec(
            id=row.id, mac_address=row.mac_address, network=networks[row.network_id], fixed_ips=addresses[row.id],
            tag=row.device_tag,
        ))
        for row in rows
    ]


def _networks(networks: dict[str, Network]) -> dict[str, NetworkSpec]:
    subnets: dict[str, list[SubnetSpec]] = defaultdict(list)
    for subnet in Subnet.objects.filter(network__in=list(networks)).order_by("created_at", "id"):
        subnets[subnet.network_id].append(_subnet(subnet))
    return {
        network_id: NetworkSpec(id=network_id, mtu=network.mtu, subnets=subnets[network_id])
        for network_id, network in networks.items()
    }


def _subnet(subnet: Subnet) -> SubnetSpec:
    return SubnetSpec(
        id=subnet.id,
        cidr=subnet.cidr,
        ip_version=subnet.ip_version,
        gateway_ip=subnet.gateway_ip,
        dhcp_enabled=subnet.enable_dhcp,
        dns_nameservers=list(subnet.dns_nameservers),
        host_routes=[RouteSpec(**route) for route in subnet.host_routes],
    )
