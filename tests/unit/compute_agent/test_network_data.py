"""What a guest is told to configure."""

import ipaddress

import pytest

from compute_agent.network_data import network_data
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec
from contracts.networks import RouteSpec, SubnetSpec


def a_port(**subnet: object) -> PortSpec:
    values = {"id": "s1", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1", "dns_nameservers": ["9.9.9.9"], **subnet}
    network = NetworkSpec(id="n1", mtu=1450, subnets=[SubnetSpec(**values)])  # type: ignore[arg-type]
    return PortSpec(
        id="c3f0c2f3-0000-4000-8000-000000000001",
        mac_address="fa:16:3e:00:00:01",
        network=network,
        fixed_ips=[FixedIpSpec(subnet_id="s1", ip_address="10.0.0.7")],
    )


def test_a_subnet_with_dhcp_is_left_to_dhcp() -> None:
    document = network_data([a_port()])
    assert document["networks"] == [
        {"id": "network0", "link": "tapc3f0c2f3-00", "network_id": "n1", "type": "ipv4_dhcp"}
    ]
    assert document["services"] == [{"type": "dns", "address": "9.9.9.9"}]


def test_a_subnet_without_dhcp_is_spelled_out() -> None:
    routes = [RouteSpec(destination="192.168.0.0/16", nexthop="10.0.0.2")]
    (network,) = network_data([a_port(dhcp_enabled=False, host_routes=routes)])["networks"]
    assert (network["type"], network["ip_address"], network["netmask"]) == ("ipv4", "10.0.0.7", "255.255.255.0")
    default = str(ipaddress.IPv4Address(0))
    assert network["routes"] == [
        {"network": default, "netmask": default, "gateway": "10.0.0.1"},
        {"network": "192.168.0.0", "netmask": "255.255.0.0", "gateway": "10.0.0.2"},
    ]


@pytest.mark.parametrize("mode", ["slaac", "dhcpv6-stateless", "dhcpv6-stateful"])
def test_an_ipv6_subnet_says_how_its_addresses_are_had(mode: str) -> None:
    six = SubnetSpec(id="s6", cidr="fd00::/64", ip_version=6, gateway_ip="fd00::1", ipv6_address_mode=mode)
    port = a_port()
    network = NetworkSpec(id="n1", subnets=[*port.network.subnets, six])
    own = [*port.fixed_ips, *(FixedIpSpec(subnet_id="s6", ip_address=f"fd00::{number}") for number in (7, 8))]
    both = PortSpec(id=port.id, mac_address=port.mac_address, network=network, fixed_ips=own)
    four, found = network_data([both])["networks"]
    assert four["type"] == "ipv4_dhcp"
    assert (found["type"], found["ip_address"]) == (f"ipv6_{mode}", "fd00::7")
    assert found["netmask"] == "ffff:ffff:ffff:ffff::"
    assert found["routes"] == [{"network": "::", "netmask": "::", "gateway": "fd00::1"}]
