"""The files that dnsmasq reads."""

from compute_agent.network.dhcp import hosts_text, options_text, reserved_ports
from compute_agent.network.ports import check
from contracts.compute import NetworkSpec
from contracts.networks import RouteSpec, SubnetSpec
from tests.unit.compute_agent.orders import new_id, server_spec

SUBNET = SubnetSpec(id="s", cidr="10.0.0.0/24", gateway_ip="10.0.0.1")


def _options(**values):
    subnet = SubnetSpec.from_wire({**SUBNET.to_wire(), **values})
    text = options_text(NetworkSpec(id=new_id(), subnets=[subnet]), [], ["192.0.2.9"])
    lines = [line.removeprefix("tag:subnet-s,") for line in text.splitlines()]
    return {name: value for name, _, value in (line.partition(",") for line in lines)}


def test_reservation_names_mac_port_and_address():
    spec = server_spec().ports[0]
    text = hosts_text([check(new_id(), spec)])
    assert text == f"fa:16:3e:00:00:01,set:{spec.id},10.0.0.5\n"
    assert reserved_ports(text) == {spec.id}


def test_routes_are_those_of_rfc_3442():
    routes = _options(host_routes=[RouteSpec(destination="10.9.0.0/16", nexthop="10.0.0.7")])["121"]
    assert routes == "10:0a:09:0a:00:00:07:20:a9:fe:a9:fe:0a:00:00:01:00:0a:00:00:01"


def test_subnet_without_gateway_has_the_metadata_address_on_the_link_and_no_router():
    options = _options(gateway_ip="")
    assert options["121"] == "20:a9:fe:a9:fe:00:00:00:00"
    assert options["option:router"] == ""


def test_name_servers_of_the_host_stand_in_for_none():
    assert _options()["option:dns-server"] == "192.0.2.9"
    assert _options(dns_nameservers=["192.0.2.1", "fd00::1"])["option:dns-server"] == "192.0.2.1"
