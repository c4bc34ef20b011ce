"""What hosts are told of what carries their networks, and of whom they reach on other hosts."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.compute.models import ComputeNode
from cloud.compute.services.host_reports import report_hosts
from cloud.networks.models import NetworkChange, Port
from cloud.networks.services import allocation, changes, host_documents
from cloud.networks.services.plugging import make_port
from cloud.networks.services.specs import subnet_spec
from contracts.conductor import HostReport
from contracts.networks import SegmentSpec
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db
TUNNELS = {"a": "192.0.2.1", "b": "192.0.2.2", "c": ""}


@pytest.fixture(autouse=True)
def hosts() -> None:
    """Hosts with tunnels, and one that has none."""
    for host, address in TUNNELS.items():
        make_host(host, tunnel_ip=address)


@pytest.fixture
def network(make_network):
    return make_network()


def plug(network, host: str, **columns) -> Port:
    return make_port(Port(network=network, project_id="p1", host=host, **columns), None, ())


def seen(host: str) -> dict[str, list[tuple[str, list[str], str]]]:
    """The neighbours of a host's networks."""
    document = host_documents.document(host)
    return {
        id: [(one.mac_address, one.addresses, one.tunnel_ip) for one in entry.ports]
        for id, entry in document.neighbours.items()
    }


def as_seen(port: Port) -> tuple[str, list[str], str]:
    addresses = port.fixed_ips.order_by("id").values_list("ip_address", flat=True)
    return port.mac_address, list(addresses), TUNNELS[port.host]


def told() -> set[str]:
    return set(changes.take())


def test_a_document_says_what_carries_each_network_of_the_host(make_network, network):
    network.__class__.objects.filter(id=network.id).update(segmentation_id=77)
    wired = make_network()
    wired.__class__.objects.filter(id=wired.id).update(
        network_type="vlan", physical_network="lan", segmentation_id=9, mtu=1500
    )
    plug(network, "a")
    plug(wired, "a")
    plug(make_network(), "b")
    found = host_documents.document("a").networks
    assert found == {
        network.id: SegmentSpec(
            network_type="vxlan", segmentation_id=77, mtu=network.mtu, subnets=[subnet_spec(network.subnets.get())]
        ),
        wired.id: SegmentSpec(
            network_type="vlan", physical_network="lan", segmentation_id=9, mtu=1500,
            subnets=[subnet_spec(wired.subnets.get())],
        ),
    }


def test_neighbours_are_the_ports_of_the_hosts_networks_on_other_hosts(make_network, network):
    here, there, more = plug(network, "a"), plug(network, "b"), plug(network, "b")
    plug(network, "c")  # has no tunnel
    plug(network, "")  # is nowhere yet
    plug(make_network(), "b")  # of a network that `a` has no port of
    assert seen("a") == {network.id: sorted([as_seen(there), as_seen(more)])}
    assert seen("b")[network.id] == [as_seen(here)]
    assert seen("c") == {}


def test_what_is_no_vxlan_network_has_no_neighbours(network):
    network.__class__.objects.filter(id=network.id).update(network_type="flat", physical_network="lan")
    plug(network, "a")
    plug(network, "b")
    assert seen("a") == {}


def test_a_router_s_port_is_a_neighbour_and_said_to_be_one_but_nobody_guards_it(network):
    guest = plug(network, "a")
    port = plug(network, "b", device_owner="network:router_interface")
    assert seen("a")[network.id] == [as_seen(port)]
    assert [one.is_router for one in host_documents.document("a").neighbours[network.id].ports] == [True]
    assert [one.is_router for one in host_documents.document("b").neighbours[network.id].ports] == [False]
    assert seen("b")[network.id] == [as_seen(guest)]
    document = host_documents.document("b")
    assert document.guards == {}
    assert list(document.networks) == [network.id]


def test_neighbours_cost_the_same_for_any_number_of_them(make_network, network):
    plug(network, "a")
    plug(network, "b")
    with CaptureQueriesContext(connection) as few:
        host_documents.document("a")
    for one in (network, network, make_network()):
        plug(one, "a")
        plug(one, "b")
    with CaptureQueriesContext(connection) as many:
        host_documents.document("a")
    assert len(few) == len(many) <= 12


def test_hosts_hear_of_ports_that_come_go_and_move_on_their_networks(api, make_network, network):
    near, far = plug(network, "a"), plug(network, "b", device_id="server", position=0)
    plug(network, "c")
    plug(make_network(), "d")
    NetworkChange.objects.all().delete()
    changes.note(changes.of_ports([far.id]), is_urgent=False)
    assert told() == {"a", "b"}
    allocation.bind("server", "d")
    assert told() == {"a", "b", "d"}
    api.delete(f"/network/v2.0/ports/{near.id}")
    assert told() == {"a"}  # that of `d` has no tunnel, and `a` was the last one with one


def test_a_port_that_is_leaving_is_nobodys_neighbour(network):
    plug(network, "a")
    port = plug(network, "b")
    assert network.id in seen("a")
    Port.objects.filter(id=port.id).update(is_leaving=True)
    assert seen("a") == {}


def test_hosts_hear_of_a_tunnel_that_moves(network):
    plug(network, "a")
    plug(network, "b")
    report_hosts([report("b", tunnel_ip="192.0.2.9")])
    assert told() == {"a", "b"}
    assert [one[2] for one in seen("a")[network.id]] == ["192.0.2.9"]
    report_hosts([report("b", tunnel_ip="192.0.2.9", load_average="1.00, 1.00, 1.00")])
    assert told() == set()
    report_hosts([report("b", tunnel_ip="")])
    assert told() == {"a", "b"}
    assert seen("a") == {}


@pytest.mark.parametrize("address", ["here", "224.0.0.1", "127.0.0.1", "0.0.0.0", "::"])  # noqa: S104
def test_a_tunnel_that_can_be_nobody_s_is_not_believed(address):
    assert report_hosts([report("b", tunnel_ip=address)]) == set()
    assert ComputeNode.objects.get(host="b").tunnel_ip == TUNNELS["b"]


def test_what_a_host_can_carry_is_kept(network):
    report_hosts([report("a", tunnel_ip="192.0.2.1", physical_networks=["lan"], network_types=["flat", "vxlan"])])
    node = ComputeNode.objects.get(host="a")
    assert (node.physical_networks, node.network_types) == (["lan"], ["flat", "vxlan"])


def report(host: str, **values) -> HostReport:
    return HostReport(host=host, reported_at=time.time(), release=2, vcpus=8, memory_mb=8192, disk_gb=100, **values)
