"""`network_data.json`: what a guest shall configure on which card, as the config drive and the metadata service say it.

Layout: https://docs.openstack.org/nova/latest/user/metadata.html
"""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from contracts.compute import PortSpec
from contracts.networks import SubnetSpec

Row = dict[str, Any]


def network_data(ports: Sequence[PortSpec]) -> dict[str, list[Row]]:
    """Return the document of a server with these ports, in the guest's order: one address of each subnet of a port."""
    found = [(port, subnet, address) for port in ports for subnet, address in _subnets(port)]
    servers = [server for _, subnet, _ in found for server in subnet.dns_nameservers]
    return {
        "links": [_link(port) for port in ports],
        "networks": [{"id": f"network{number}", **_network(*one)} for number, one in enumerate(found)],
        "services": [{"type": "dns", "address": server} for server in dict.fromkeys(servers)],
    }


def _subnets(port: PortSpec) -> Iterator[tuple[SubnetSpec, str]]:
    by_id = {subnet.id: subnet for subnet in port.network.subnets}
    for fixed in port.fixed_ips:
        subnet = by_id.pop(fixed.subnet_id, None)
        if subnet is not None:
            yield subnet, fixed.ip_address


def _name(port: PortSpec) -> str:
    return f"tap{port.id[:11]}"


def _link(port: PortSpec) -> Row:
    return {
        "id": _name(port),
        "vif_id": port.id,
        "type": "bridge",
        "mtu": port.network.mtu,
        "ethernet_mac_address": port.mac_address,
    }


def _network(port: PortSpec, subnet: SubnetSpec, address: str) -> Row:
    row = {"link": _name(port), "network_id": port.network.id}
    if subnet.ipv6_address_mode:
        row["type"] = f"ipv6_{subnet.ipv6_address_mode}"
    elif subnet.dhcp_enabled:
        return {**row, "type": f"ipv{subnet.ip_version}_dhcp"}
    else:
        row["type"] = f"ipv{subnet.ip_version}"
    routes = [_route(route.destination, route.nexthop) for route in subnet.host_routes]
    if subnet.gateway_ip:
        routes.insert(0, _route("0.0.0.0/0" if subnet.ip_version == 4 else "::/0", subnet.gateway_ip))
    netmask = str(ipaddress.ip_network(subnet.cidr, strict=False).netmask)
    return {**row, "ip_address": address, "netmask": netmask, "routes": routes}


def _route(destination: str, gateway: str) -> Row:
    network = ipaddress.ip_network(destination, strict=False)
    return {"network": str(network.network_address), "netmask": str(network.netmask), "gateway": gateway}
