"""What hosts are told to advertise of IPv6 subnets, and when they hear of it."""

import pytest

from cloud.networks.models import Port
from cloud.networks.services import changes, host_documents
from cloud.networks.services.addresses import AddressWish, eui64
from cloud.networks.services.plugging import make_port
from contracts.networks import AdvertSpec

pytestmark = pytest.mark.django_db
SUBNETS, ROUTERS = "/network/v2.0/subnets", "/network/v2.0/routers"
OTHER_MAC = "fa:16:3e:00:00:02"
PREFIX, SERVERS = "fd00:6::/64", ["192.0.2.53", "fd00::53"]


@pytest.fixture
def network(make_network):
    return make_network(first=100)  # what tests name is not given to others


@pytest.fixture(autouse=True)
def _plugged(network):
    make_port(Port(network=network, project_id="p1", host="a"), None, ())


@pytest.fixture
def make_subnet(api, network):
    def make(**values) -> dict:
        asked = {"network_id": network.id, "ip_version": 6, "cidr": PREFIX, "dns_nameservers": SERVERS, **values}
        answer = api.post(SUBNETS, {"subnet": asked})
        assert answer.status_code == 201, answer.content
        return answer.json()["subnet"]

    return make


def both(mode: str) -> dict[str, str]:
    return {"ipv6_ra_mode": mode, "ipv6_address_mode": mode}


def told(network) -> list[AdvertSpec]:
    return host_documents.document("a").networks[network.id].adverts


def leased(network) -> list[AdvertSpec]:
    return host_documents.document("a").networks[network.id].leased


@pytest.mark.parametrize("mode", ["slaac", "dhcpv6-stateless", "dhcpv6-stateful"])
def test_prefix_is_advertised_as_its_mode_says_while_it_is_there(api, network, make_subnet, mode):
    changes.take()
    subnet = make_subnet(**both(mode))
    assert list(changes.take()) == ["a"]
    assert told(network) == [AdvertSpec(cidr=PREFIX, mode=mode, name_servers=["fd00::53"])]
    assert api.put(f"{SUBNETS}/{subnet['id']}", {"subnet": {"dns_nameservers": []}}).status_code == 200
    assert list(changes.take()) == ["a"]
    assert told(network) == [AdvertSpec(cidr=PREFIX, mode=mode)]
    assert api.delete(f"{SUBNETS}/{subnet['id']}").status_code == 204
    assert list(changes.take()) == ["a"]
    assert told(network) == []


@pytest.mark.parametrize("modes", [{}, {"ipv6_address_mode": "slaac"}, {"enable_dhcp": False}])
def test_what_somebody_else_advertises_is_not_ours(network, make_subnet, modes):
    make_subnet(**modes)
    assert told(network) == []
    assert leased(network) == []


@pytest.mark.parametrize("mode", ["dhcpv6-stateless", "dhcpv6-stateful"])
def test_prefix_that_somebody_else_advertises_has_our_dhcpv6(api, network, make_subnet, mode):
    changes.take()
    subnet = make_subnet(ipv6_address_mode=mode)
    assert "a" in changes.take()
    assert told(network) == []
    assert leased(network) == [AdvertSpec(cidr=PREFIX, mode=mode, name_servers=["fd00::53"])]
    assert api.put(f"{SUBNETS}/{subnet['id']}", {"subnet": {"dns_nameservers": []}}).status_code == 200
    assert "a" in changes.take()
    assert leased(network) == [AdvertSpec(cidr=PREFIX, mode=mode)]
    assert api.delete(f"{SUBNETS}/{subnet['id']}").status_code == 204
    assert "a" in changes.take()
    assert leased(network) == []


def self_made_by(port: Port) -> list[str]:
    return list(port.fixed_ips.filter(ip_address__contains=":").values_list("ip_address", flat=True))


def test_guests_have_the_address_they_make_whenever_their_subnet_came(api, network, make_subnet):
    before = Port.objects.get(network=network)
    changes.take()
    make_subnet(**both("slaac"))
    assert "a" in changes.take(), "the host must let them use it"
    after = make_port(Port(network=network, project_id="p1"), [AddressWish(ip_address="10.0.0.77")], ())
    leg = make_port(Port(network=network, device_owner="network:router_interface"), [AddressWish(version=4)], ())
    assert self_made_by(before) == [eui64(PREFIX, before.mac_address)]
    assert self_made_by(after) == [eui64(PREFIX, after.mac_address)]
    assert self_made_by(leg) == []


def test_a_guest_keeps_the_address_it_makes_whatever_it_is_given(api, network, make_subnet):
    make_subnet(**both("dhcpv6-stateless"))
    port = Port.objects.get(network=network)
    answer = api.put(f"/network/v2.0/ports/{port.id}", {"port": {"fixed_ips": [{"ip_address": "10.0.0.77"}]}})
    assert [one["ip_address"] for one in answer.json()["port"]["fixed_ips"]] == [
        eui64(PREFIX, port.mac_address), "10.0.0.77"
    ]  # fmt: skip


@pytest.fixture
def unbound(network, make_subnet):
    """Return a port that is on no host, in a subnet whose guests make their own addresses; and the URL of it."""
    make_subnet(**both("slaac"))
    port = make_port(Port(network=network, project_id="p1"), [AddressWish(ip_address="10.0.0.77")], ())
    return port, f"/network/v2.0/ports/{port.id}"


def addresses(answer) -> list[str]:
    return [one["ip_address"] for one in answer.json()["port"]["fixed_ips"]]


def test_another_mac_address_makes_another_address(api, unbound):
    port, url = unbound
    answer = api.put(url, {"port": {"mac_address": OTHER_MAC}}, token="admin")
    assert answer.status_code == 200, answer.content
    assert addresses(answer) == ["10.0.0.77", eui64(PREFIX, OTHER_MAC)]
    both_at_once = {"mac_address": port.mac_address, "fixed_ips": [{"ip_address": "10.0.0.78"}]}
    answer = api.put(url, {"port": both_at_once}, token="admin")
    assert sorted(addresses(answer)) == sorted([eui64(PREFIX, port.mac_address), "10.0.0.78"])


def test_a_mac_address_whose_own_address_is_taken_is_refused(api, network, unbound):
    port, url = unbound
    taken = eui64(PREFIX, OTHER_MAC)
    make_port(Port(network=network, project_id="p1"), [AddressWish(ip_address=taken)], ())
    answer = api.put(url, {"port": {"mac_address": OTHER_MAC}}, token="admin")
    assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (409, "IpAddressInUse")
    assert taken in answer.json()["NeutronError"]["message"]
    assert api.get(url).json()["port"]["mac_address"] == port.mac_address
    assert self_made_by(port) == [eui64(PREFIX, port.mac_address)]


def test_router_is_named_while_it_holds_the_gateway(api, network, make_subnet):
    subnet = make_subnet(**both("slaac"))
    router_id = api.post(ROUTERS, {"router": {}}).json()["router"]["id"]
    changes.take()
    path, asked = f"{ROUTERS}/{router_id}", {"subnet_id": subnet["id"]}
    assert api.put(f"{path}/add_router_interface", asked).status_code == 200
    assert "a" in changes.take()
    (one,) = told(network)
    assert one.router_mac == Port.objects.get(router=router_id).mac_address
    assert api.put(f"{path}/remove_router_interface", asked).status_code == 200
    assert "a" in changes.take()
    (one,) = told(network)
    assert one.router_mac == ""


def test_dhcp_cannot_be_switched_off_beneath_a_mode(api, make_subnet):
    subnet = make_subnet(**both("slaac"))
    answer = api.put(f"{SUBNETS}/{subnet['id']}", {"subnet": {"enable_dhcp": False}})
    assert answer.status_code == 400
    assert answer.json()["NeutronError"]["message"].endswith("Cannot disable enable_dhcp with ipv6 attributes set.")
    assert api.get(f"{SUBNETS}/{subnet['id']}").json()["subnet"]["enable_dhcp"] is True
