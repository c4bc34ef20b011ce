"""Subnets over HTTP."""

import pytest

from cloud.core.models import new_uuid
from cloud.networks.models import Network, Port, Subnet
from cloud.networks.services.plugging import make_port

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/subnets"


@pytest.fixture
def network():
    return Network.objects.create(project_id="p1", name="n")


def ask(network: Network, **attributes: object) -> dict[str, object]:
    return {"subnet": {"network_id": network.id, "ip_version": 4, "cidr": "10.1.0.0/24", **attributes}}


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def test_a_subnet_chooses_its_gateway_and_pool(api, network):
    answer = api.post(URL, ask(network, name="s"))
    assert answer.status_code == 201
    subnet = answer.json()["subnet"]
    assert (subnet["gateway_ip"], subnet["enable_dhcp"], subnet["tenant_id"]) == ("10.1.0.1", True, "p1")
    assert subnet["allocation_pools"] == [{"start": "10.1.0.2", "end": "10.1.0.254"}]
    assert api.get(f"{URL}/{subnet['id']}").json()["subnet"] == subnet
    assert api.get(f"/network/v2.0/networks/{network.id}").json()["network"]["subnets"] == [subnet["id"]]


@pytest.mark.parametrize(("attributes", "gateway", "pools"), [
    ({"gateway_ip": None}, None, [("10.1.0.1", "10.1.0.254")]),
    ({"gateway_ip": "10.1.0.9"}, "10.1.0.9", [("10.1.0.1", "10.1.0.8"), ("10.1.0.10", "10.1.0.254")]),
    ({"gateway_ip": "10.1.0.254"}, "10.1.0.254", [("10.1.0.1", "10.1.0.253")]),
    ({"allocation_pools": [{"start": "10.1.0.20", "end": "10.1.0.30"}]}, "10.1.0.1", [("10.1.0.20", "10.1.0.30")]),
    ({"cidr": "10.1.0.0/30"}, "10.1.0.1", [("10.1.0.2", "10.1.0.2")]),
    ({"cidr": "10.1.0.0/31", "enable_dhcp": False, "gateway_ip": None}, None, [("10.1.0.0", "10.1.0.1")]),
    ({"cidr": "2001:db8::/64", "ip_version": 6}, "2001:db8::1", [("2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff")]),
])
def test_gateway_and_pools_fit_each_other(api, network, attributes, gateway, pools):
    answer = api.post(URL, ask(network, **attributes))
    assert answer.status_code == 201, answer.content
    subnet = answer.json()["subnet"]
    assert subnet["gateway_ip"] == gateway
    assert [(pool["start"], pool["end"]) for pool in subnet["allocation_pools"]] == pools


@pytest.mark.parametrize(("attributes", "error"), [
    ({"cidr": "10.1.0.1/24"}, (400, "HTTPBadRequest")),
    ({"cidr": "nonsense"}, (400, "HTTPBadRequest")),
    ({"cidr": "10.1.0.0"}, (400, "HTTPBadRequest")),
    ({"ip_version": 6}, (400, "InvalidInput")),
    ({"ip_version": 5}, (400, "HTTPBadRequest")),
    ({"cidr": "0.0.0.0/0"}, (400, "InvalidInput")),
    ({"cidr": "224.0.0.0/24"}, (400, "InvalidInput")),
    ({"cidr": "127.0.0.0/24"}, (400, "InvalidInput")),
    ({"cidr": "10.1.0.0/31"}, (400, "InvalidInput")),
    ({"gateway_ip": "10.2.0.1"}, (400, "InvalidInput")),
    ({"gateway_ip": "10.1.0.255"}, (400, "InvalidInput")),
    ({"allocation_pools": [{"start": "10.1.0.9", "end": "10.1.0.8"}]}, (400, "InvalidAllocationPool")),
    ({"allocation_pools": [{"start": "10.2.0.9", "end": "10.2.0.10"}]}, (400, "OutOfBoundsAllocationPool")),
    ({"allocation_pools": [{"start": "10.1.0.9", "end": "fe80::1"}]}, (400, "InvalidAllocationPool")),
    ({"allocation_pools": [{"start": "10.1.0.5", "end": "10.1.0.9"}, {"start": "10.1.0.9", "end": "10.1.0.12"}]},
     (409, "OverlappingAllocationPools")),
    ({"allocation_pools": [{"start": "10.1.0.1", "end": "10.1.0.9"}]}, (409, "GatewayConflictWithAllocationPools")),
    ({"dns_nameservers": ["x"]}, (400, "HTTPBadRequest")),
    ({"dns_nameservers": ["1.1.1.1"] * 2}, (400, "InvalidInput")),
    ({"dns_nameservers": [f"1.1.1.{number}" for number in range(6)]}, (400, "HTTPBadRequest")),
    ({"host_routes": [{"destination": "10.0.0.0/8"}]}, (400, "HTTPBadRequest")),
    ({"host_routes": [{"destination": "10.0.0.0/8", "nexthop": "fe80::1"}]}, (400, "InvalidInput")),
    ({"ipv6_ra_mode": "slaac"}, (400, "InvalidInput")),
    ({"cidr": "2001:db8::/64", "ip_version": 6, "ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"},
     (400, "InvalidInput")),
    ({"cidr": "2001:db8::/80", "ip_version": 6, "ipv6_address_mode": "slaac"}, (400, "InvalidInput")),
    ({"subnetpool_id": new_uuid()}, (404, "SubnetPoolNotFound")),
    ({"network_id": new_uuid()}, (404, "NetworkNotFound")),
])
def test_what_makes_no_subnet_is_refused(api, network, attributes, error):
    assert kind(api.post(URL, ask(network, **attributes))) == error
    assert not Subnet.objects.exists()


def test_overlapping_subnets_of_a_network_are_refused(api, network):
    assert api.post(URL, ask(network)).status_code == 201
    refused = api.post(URL, ask(network, cidr="10.1.0.128/25"))
    assert kind(refused) == (400, "InvalidInput")
    assert "overlaps with another subnet" in refused.json()["NeutronError"]["message"]
    other = Network.objects.create(project_id="p1")
    assert api.post(URL, ask(other, cidr="10.1.0.128/25")).status_code == 201


def test_only_the_owner_of_a_network_divides_it(api, network):
    foreign = Network.objects.create(project_id="p2")
    shared = Network.objects.create(project_id="p2", shared=True)
    assert kind(api.post(URL, ask(foreign))) == (404, "NetworkNotFound")
    assert kind(api.post(URL, ask(shared))) == (403, "PolicyNotAuthorized")
    made = api.post(URL, ask(shared), token="stranger").json()["subnet"]
    assert api.get(f"{URL}/{made['id']}").status_code == 200
    assert api.put(f"{URL}/{made['id']}", {"subnet": {"name": "x"}}).status_code == 404
    assert api.delete(f"{URL}/{made['id']}").status_code == 404


def test_changes(api, network):
    url = f"{URL}/{api.post(URL, ask(network)).json()['subnet']['id']}"
    wanted = {
        "name": "s", "enable_dhcp": False, "gateway_ip": "10.1.0.254", "dns_nameservers": ["9.9.9.9", "2620:fe::fe"],
        "host_routes": [{"destination": "10.9.0.0/16", "nexthop": "10.1.0.7"}],
        "allocation_pools": [{"start": "10.1.0.50", "end": "10.1.0.60"}],
    }
    subnet = api.put(url, {"subnet": wanted}).json()["subnet"]
    assert {name: subnet[name] for name in wanted} == wanted
    assert api.put(url, {"subnet": {"gateway_ip": None}}).json()["subnet"]["gateway_ip"] is None
    for fixed in ({"cidr": "10.3.0.0/24"}, {"network_id": network.id}, {"ip_version": 6}):
        assert kind(api.put(url, {"subnet": fixed})) == (400, "HTTPBadRequest")


def test_a_gateway_does_not_take_a_ports_address(api, network):
    subnet = api.post(URL, ask(network)).json()["subnet"]
    port = make_port(Port(network=network, project_id="p1"), None, [])
    address = port.fixed_ips.get().ip_address
    wanted = {"gateway_ip": address, "allocation_pools": []}
    assert kind(api.put(f"{URL}/{subnet['id']}", {"subnet": wanted})) == (409, "GatewayIpInUse")


def test_a_subnet_with_addresses_given_stays(api, network):
    subnet = api.post(URL, ask(network)).json()["subnet"]
    port = make_port(Port(network=network, project_id="p1"), None, [])
    assert kind(api.delete(f"{URL}/{subnet['id']}")) == (409, "SubnetInUse")
    port.delete()
    assert api.delete(f"{URL}/{subnet['id']}").status_code == 204


def test_filters(api, network):
    api.post(URL, ask(network))
    for query, count in ((f"network_id={network.id}", 1), ("cidr=10.1.0.0/24", 1), ("ip_version=4", 1),
                         ("ip_version=6", 0), ("enable_dhcp=True", 1), ("gateway_ip=10.1.0.1", 1)):
        assert len(api.get(f"{URL}?{query}").json()["subnets"]) == count, query


def test_availability_counts(api, network):
    api.post(URL, ask(network, cidr="10.1.0.0/28"))
    make_port(Port(network=network, project_id="p1"), None, [])
    url = "/network/v2.0/network-ip-availabilities"
    assert api.get(url).status_code == 403
    (row,) = api.get(url, token="admin").json()["network_ip_availabilities"]
    assert (row["total_ips"], row["used_ips"]) == (13, 1)
    assert api.get(f"{url}/{network.id}", token="admin").json()["network_ip_availability"] == row
    assert api.get(f"{url}?ip_version=6", token="admin").json() == {"network_ip_availabilities": []}
