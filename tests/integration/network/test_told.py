"""What a guest is told when its port or its subnet is another than when it was plugged, by a real DHCP client."""

import msgspec
import pytest

from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from contracts.compute import NetworkSpec, PortSpec
from contracts.networks import RouteSpec, SegmentSpec
from tests.fixtures.ids import new_id
from tests.integration.network.documents import ControlPlane
from tests.integration.network.guests import Guest, network, port

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]


@pytest.fixture
def control(driver):
    return ControlPlane(driver)


@pytest.fixture
def make_guest(driver, control, tmp_path):
    guests = []

    def make(spec: PortSpec) -> Guest:
        guest = Guest(spec, tmp_path)
        guests.append(guest)
        guest.start()
        driver.plug(new_id(), [spec], {}, "")
        control.put(spec)
        return guest

    yield make
    for guest in guests:
        guest.stop()


def describe(control: ControlPlane, net: NetworkSpec, **changes: object) -> None:
    """Tell a host that a network's subnet is another one now."""
    (subnet,) = net.subnets
    now = msgspec.structs.replace(subnet, **changes)
    control.tell(networks={net.id: SegmentSpec(network_type="local", mtu=net.mtu, subnets=[now])})


def test_changed_name_servers_and_routes_are_told_at_the_next_renewal(control, make_guest):
    net = network()
    guest = make_guest(port(net, "10.99.0.5"))
    assert guest.dhcp()[3] == "192.0.2.53"
    routes = [RouteSpec(destination="10.9.0.0/16", nexthop="10.99.0.7")]
    describe(control, net, dns_nameservers=["192.0.2.54", "192.0.2.55"], host_routes=routes)
    ip, _, router, dns, told = guest.dhcp()
    assert (ip, router, dns) == ("10.99.0.5", "10.99.0.1", "192.0.2.54 192.0.2.55")
    assert told.startswith("10.9.0.0/16 10.99.0.7 ")
    describe(control, net, gateway_ip="10.99.0.2")
    assert guest.dhcp()[2:4] == ["10.99.0.2", "192.0.2.53"]
    assert guest.finds("10.99.0.2")


def test_subnet_without_dhcp_tells_nobody_and_with_it_again(control, make_guest):
    net = network()
    guest = make_guest(port(net, "10.99.0.5"))
    describe(control, net, dhcp_enabled=False)
    assert guest.dhcp(tries=2) == []
    describe(control, net)
    assert guest.dhcp()


def test_port_with_another_address_gets_it_and_its_metadata(control, make_guest, metadata_service):
    guest = make_guest(port(network(), "10.99.0.5"))
    assert guest.dhcp()[0] == "10.99.0.5"
    guest.wait_for_metadata()
    before = guest.fetch_json("/openstack/latest/meta_data.json")
    control.put(guest.port, addresses=["10.99.0.77"])
    assert guest.dhcp()[0] == "10.99.0.77"
    guest.wait_for_metadata()
    assert guest.fetch("/latest/meta-data/local-ipv4") == (200, "10.99.0.77")
    assert guest.fetch_json("/openstack/latest/meta_data.json") == before


def test_options_of_a_port_are_told_to_its_guest_alone(control, make_guest):
    net, asked = network(), ("ntpsrv", "domain", "tftp")
    named = msgspec.structs.replace(port(net, "10.99.0.5"), dhcp_options={"domain-name": "example.org"})
    guest, other = make_guest(named), make_guest(port(net, "10.99.0.6"))
    assert guest.dhcp(also=asked)[5:] == ["", "example.org", ""]
    assert other.dhcp(also=asked)[5:] == ["", "", ""]
    options = {"ntp-server": "192.0.2.9", "tftp-server": "192.0.2.8", "mtu": "1300", "of-tomorrow": "x"}
    control.put(named, dhcp_options=options)
    told = guest.dhcp(also=asked)
    assert (told[1], told[5:]) == ("1300", ["192.0.2.9", "", "192.0.2.8"])
    assert other.dhcp(also=asked)[1] == "1400"


def test_what_a_crash_left_untold_is_told_by_the_next_look(driver, control, state_dir, make_guest):
    net = network()
    guest = make_guest(port(net, "10.99.0.5"))
    control.put(guest.port, addresses=["10.99.0.77"])
    # As it was before: the port's file says what the document does, the server's files do not.
    hosts = next(state_dir.glob("network/*/dhcp.hosts"))
    hosts.write_text(hosts.read_text().replace("10.99.0.77", "10.99.0.5"))
    LinuxBridgeNetwork(state_dir).restore()
    assert guest.dhcp()[0] == "10.99.0.77"
