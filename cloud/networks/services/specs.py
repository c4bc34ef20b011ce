"""Ports as hosts need them: the whole of their networks included, so that a host asks nobody."""

from collections import defaultdict

from cloud.core.kept import Kept
from cloud.networks.models import FixedIp, Port, Subnet
from cloud.networks.services.dhcp_options import Option, told
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec
from contracts.networks import RouteSpec, SubnetSpec

_ports: Kept[tuple[str, str, str, str, list[Option], str, int]] = Kept(
    lambda uuids: Port.objects.filter(device_id__in=uuids, position__gte=0, is_leaving=False).order_by(
        "position"
    ).values_list("device_id", "id", "mac_address", "device_tag", "extra_dhcp_opts", "network_id", "network__mtu")
)
_addresses: Kept[tuple[str, str, str]] = Kept(
    lambda ids: FixedIp.objects.filter(port__in=ids).order_by("id").values_list("port_id", "subnet_id", "ip_address")
)
_subnets: Kept[Subnet] = Kept(lambda ids: Subnet.objects.filter(network__in=ids).order_by("created_at", "id"))


def specs(instance_uuids: list[str]) -> list[tuple[str, PortSpec]]:
    """Return servers' ports with their uuids, in the guests' order, in three queries for any number of them."""
    rows = _ports(uuids=instance_uuids)
    addresses: dict[str, list[FixedIpSpec]] = defaultdict(list)
    for port_id, subnet_id, ip_address in _addresses(ids=[row[1] for row in rows]):
        addresses[port_id].append(FixedIpSpec(subnet_id=subnet_id, ip_address=ip_address))
    networks = _networks({network_id: mtu for *_, network_id, mtu in rows})
    return [
        (uuid, PortSpec(id=id_, mac_address=mac, network=networks[network_id], fixed_ips=addresses[id_], tag=tag,
                        dhcp_options=told(options)))
        for uuid, id_, mac, tag, options, network_id, _ in rows
    ]  # fmt: skip


def _networks(mtus: dict[str, int]) -> dict[str, NetworkSpec]:
    subnets: dict[str, list[SubnetSpec]] = defaultdict(list)
    for subnet in _subnets(ids=list(mtus)):
        subnets[subnet.network_id].append(subnet_spec(subnet))
    return {
        network_id: NetworkSpec(id=network_id, mtu=mtu, subnets=subnets[network_id]) for network_id, mtu in mtus.items()
    }


def subnet_spec(subnet: Subnet) -> SubnetSpec:
    """Return a subnet as hosts need it."""
    return SubnetSpec(
        id=subnet.id,
        cidr=subnet.cidr,
        ip_version=subnet.ip_version,
        gateway_ip=subnet.gateway_ip,
        dhcp_enabled=subnet.enable_dhcp,
        dns_nameservers=list(subnet.dns_nameservers),
        host_routes=[RouteSpec(**route) for route in subnet.host_routes],
        ipv6_address_mode=subnet.ipv6_address_mode,
    )
