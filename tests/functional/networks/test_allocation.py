"""Servers get their interfaces once, whole, and give them back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.core.models import new_uuid
from cloud.networks.errors import IpAddressGenerationFailure, IpAddressInUse, PortInUse, PortNotFound
from cloud.networks.models import FixedIp, Network, Port, SecurityGroup, Subnet
from cloud.networks.selectors import interfaces
from cloud.networks.services import allocation
from cloud.networks.services.addresses import AddressPools, AddressWish, eui64
from cloud.networks.services.plugging import make_port
from contracts.compute import PortSpec

pytestmark = pytest.mark.django_db


def asked(*requests: dict[str, str], groups: tuple[str, ...] = ()) -> dict[str, object]:
    blank = {"network_id": "", "port_id": "", "fixed_ip": "", "tag": ""}
    return {"mode": "explicit", "requests": [{**blank, **request} for request in requests],
            "security_groups": list(groups)}


def allocate(server: str, request: dict[str, object], host: str) -> list[PortSpec]:
    allocation.allocate(server, "p1", request, host)
    return allocation.port_specs(server)


def test_a_port_spec_holds_all_that_a_host_needs(make_network):
    network = make_network(mtu=1400)
    server = new_uuid()
    (spec,) = allocate(server, asked({"network_id": network.id, "tag": "front"}), "host1")
    (subnet,) = spec.network.subnets
    assert spec.mac_address.startswith("fa:16:3e:")
    assert spec.tag == "front"
    assert spec.network.mtu == 1400
    assert (subnet.cidr, subnet.gateway_ip, subnet.dhcp_enabled) == ("10.0.0.0/24", "10.0.0.1", True)
    assert subnet.dns_nameservers == ["9.9.9.9"]
    assert subnet.host_routes[0].nexthop == "10.0.0.9"
    assert spec.fixed_ips[0].subnet_id == subnet.id


def test_repeating_changes_nothing_but_the_host(make_network):
    request = asked({"network_id": make_network().id}, {"network_id": make_network("10.1.0.0/24").id})
    server = new_uuid()
    first = allocate(server, request, "host1")
    allocation.set_active(server)
    assert allocate(server, request, "host1") == first
    assert set(Port.objects.values_list("status", "host")) == {("ACTIVE", "host1")}
    assert allocate(server, request, "host2") == first
    assert set(Port.objects.values_list("status", "host")) == {("DOWN", "host2")}


def test_order_is_the_requests_order(make_network):
    networks = [make_network(f"10.{number}.0.0/24") for number in range(4)]
    specs = allocate(new_uuid(), asked(*({"network_id": one.id} for one in networks)), "h")
    assert [spec.network.id for spec in specs] == [one.id for one in networks]


def test_addresses_run_out_at_the_last_one_and_no_address_is_given_twice(make_network):
    network = make_network(first=10, last=19)
    for _ in range(10):
        allocation.allocate(new_uuid(), "p1", asked({"network_id": network.id}), "h")
    addresses = set(FixedIp.objects.values_list("ip_address", flat=True))
    assert addresses == {f"10.0.0.{number}" for number in range(10, 20)}
    with pytest.raises(IpAddressGenerationFailure):
        allocation.allocate(new_uuid(), "p1", asked({"network_id": network.id}), "h")
    assert Port.objects.count() == 10


def test_failure_leaves_none_of_the_servers_ports(make_network):
    full = make_network(first=10, last=10)
    allocation.allocate(new_uuid(), "p1", asked({"network_id": full.id}), "h")
    free = make_network("10.1.0.0/24")
    with pytest.raises(IpAddressGenerationFailure):
        allocation.allocate(new_uuid(), "p1", asked({"network_id": free.id}, {"network_id": full.id}), "h")
    assert not Port.objects.filter(network=free).exists()


def test_a_requested_address_is_given_or_refused(make_network):
    request = asked({"network_id": make_network().id, "fixed_ip": "10.0.0.77"})
    (spec,) = allocate(new_uuid(), request, "h")
    assert spec.fixed_ips[0].ip_address == "10.0.0.77"
    with pytest.raises(IpAddressInUse):
        allocation.allocate(new_uuid(), "p1", request, "h")


def test_a_given_port_is_adopted_and_survives_its_server(make_network):
    port = make_port(Port(network=make_network(), project_id="p1"), None, [])
    server = new_uuid()
    request = asked({"port_id": port.id, "network_id": port.network_id, "tag": "x"})
    (spec,) = allocate(server, request, "h")
    assert (spec.id, spec.tag) == (port.id, "x")
    with pytest.raises(PortInUse):
        allocation.allocate(new_uuid(), "p1", request, "h")
    allocation.release([server])
    port.refresh_from_db()
    assert (port.device_id, port.device_owner, port.host, port.position, port.status) == ("", "", "", -1, "DOWN")
    with pytest.raises(PortNotFound):
        allocation.allocate(server, "p1", asked({"port_id": new_uuid()}), "h")


def test_release_deletes_what_was_made_and_may_be_repeated(make_network):
    server, other = new_uuid(), new_uuid()
    request = asked({"network_id": make_network().id})
    allocation.allocate(server, "p1", request, "h")
    allocation.allocate(other, "p1", request, "h")
    allocation.release([server])
    allocation.release([server])
    assert list(Port.objects.values_list("device_id", flat=True)) == [other]
    assert FixedIp.objects.count() == 1


def test_the_first_server_makes_the_default_group_with_its_four_rules(make_network):
    network = make_network()
    for _ in range(2):
        allocation.allocate(new_uuid(), "p1", asked({"network_id": network.id}), "h")
    group = SecurityGroup.objects.get()
    rules = set(group.rules.values_list("direction", "ethertype", "remote_group"))
    assert (group.name, group.project_id) == ("default", "p1")
    assert rules == {("egress", "IPv4", None), ("egress", "IPv6", None), ("ingress", "IPv4", group.id),
                     ("ingress", "IPv6", group.id)}
    assert all([one.id for one in port.security_groups.all()] == [group.id] for port in Port.objects.all())


def test_interfaces_take_two_queries_for_any_number_of_servers(make_network):
    networks = [make_network(name="one"), make_network("10.1.0.0/24", name="two")]
    servers = [new_uuid() for _ in range(5)]
    for server in servers:
        allocation.allocate(server, "p1", asked(*({"network_id": one.id} for one in networks)), "h")
    with CaptureQueriesContext(connection ) as queries:
        found = interfaces([*servers, new_uuid()])
    assert len(queries) == 2
    assert set(found) == set(servers)
    first, second = found[servers[0]]
    assert (first.network_name, second.network_name) == ("one", "two")
    assert first.security_groups == ("default",)
    assert first.addresses[0].version == 4
    assert first.addresses[0].ip.startswith("10.0.0.")


def test_ipv6_guests_make_the_address_that_we_compute(make_network):
    network = make_network()
    Subnet.objects.create(network=network, project_id="p1", cidr="2001:db8::/64", ip_version=6,
                          ipv6_address_mode="slaac", ipv6_ra_mode="slaac")
    port = make_port(Port(network=network, project_id="p1", mac_address="fa:16:3e:01:02:03"), None, [])
    assert "2001:db8::f816:3eff:fe01:203" in port.fixed_ips.values_list("ip_address", flat=True)
    assert eui64("2001:db8::/64", "00:00:00:00:00:00") == "2001:db8::200:ff:fe00:0"


def test_large_pools_cost_no_more_than_small_ones():
    network = Network.objects.create(project_id="p1")
    Subnet.objects.create(network=network, project_id="p1", cidr="2001:db8::/64", ip_version=6,
                          allocation_pools=[{"start": "2001:db8::2", "end": "2001:db8::ffff:ffff:ffff:ffff"}])
    with CaptureQueriesContext(connection) as queries:
        make_port(Port(network=network, project_id="p1"), [AddressWish(subnet_id=network.subnets.get().id)], [])
    assert len(queries) < 10


def test_pools_are_numbered_through():
    pools = AddressPools([{"start": "10.0.0.5", "end": "10.0.0.6"}, {"start": "10.0.1.0", "end": "10.0.1.9"}])
    assert pools.size == 12
    assert [pools.at(number) for number in (0, 1, 2, 11)] == ["10.0.0.5", "10.0.0.6", "10.0.1.0", "10.0.1.9"]
    (batch,) = pools.guesses()
    assert sorted(batch) == sorted(pools.at(number) for number in range(12))
    assert list(AddressPools([]).guesses()) == []
