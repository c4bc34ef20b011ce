"""What hosts are told for DHCP, in the document and in the orders that plug ports, and when they hear of a change."""

import pytest

from cloud.networks.models import Network, Port
from cloud.networks.services import changes, host_documents
from cloud.networks.services.plugging import make_port
from cloud.networks.services.specs import specs
from contracts.networks import RouteSpec, SubnetSpec

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"
SERVER = "0e9e7a51-0000-4000-8000-000000000001"


@pytest.fixture
def network(make_network) -> Network:
    return make_network()


@pytest.fixture
def port(network) -> Port:
    return make_port(
        Port(network=network, project_id="p1", host="a", device_id=SERVER, position=0, device_owner="compute:nova"),
        None, (),
    )  # fmt: skip


def told() -> set[str]:
    return set(changes.take())


def subnet_of(network: Network) -> SubnetSpec:
    (subnet,) = host_documents.document("a").networks[network.id].subnets
    return subnet


@pytest.mark.parametrize(("change", "seen"), [
    ({"dns_nameservers": ["8.8.8.8"]}, {"dns_nameservers": ["8.8.8.8"]}),
    ({"host_routes": []}, {"host_routes": []}),
    ({"host_routes": [{"destination": "10.8.0.0/16", "nexthop": "10.0.0.8"}]},
     {"host_routes": [RouteSpec(destination="10.8.0.0/16", nexthop="10.0.0.8")]}),
    ({"gateway_ip": None}, {"gateway_ip": ""}),
    ({"enable_dhcp": False}, {"dhcp_enabled": False}),
])
def test_hosts_hear_of_a_subnet_that_is_another_one_now(api, network, port, change, seen):
    told()
    url = f"{URL}/subnets/{network.subnets.get().id}"
    assert api.put(url, {"subnet": change}).status_code == 200
    assert told() == {"a"}
    subnet = subnet_of(network)
    assert {name: getattr(subnet, name) for name in seen} == seen
    assert api.put(url, {"subnet": change}).status_code == 200
    assert told() == set(), "nothing is said twice"


def test_hosts_hear_nothing_of_what_guests_are_not_told(api, network, port):
    told()
    change = {"name": "other", "description": "x", "service_types": ["compute:nova"]}
    assert api.put(f"{URL}/subnets/{network.subnets.get().id}", {"subnet": change}).status_code == 200
    assert told() == set()


def test_options_of_a_port_are_in_the_document_and_in_the_order_that_plugs_it(api, port):
    told()
    options = [
        {"opt_name": "bootfile-name", "opt_value": "http://198.51.100.9/pxe"},
        {"opt_name": "ntp-server", "opt_value": "10.0.0.9"},
        {"opt_name": "tftp-server", "opt_value": "2001:db8::9"},
        {"opt_name": "domain-search", "opt_value": "example.org", "ip_version": 6},
    ]
    assert api.put(f"{URL}/ports/{port.id}", {"port": {"extra_dhcp_opts": options}}).status_code == 200
    assert told() == {"a"}
    wanted = {"bootfile-name": "http://198.51.100.9/pxe", "ntp-server": "10.0.0.9"}
    assert host_documents.document("a").guards[port.id].dhcp_options == wanted
    assert [spec.dhcp_options for _, spec in specs([SERVER])] == [wanted]
