"""The real network on a real kernel: guests are namespaces on cables named like taps."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from compute_agent.errors import VifPlugFailed
from compute_agent.network.dhcp import Dnsmasq
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import FLOATING_FILE, Mark, bridge_name, tap_name
from contracts.networks import SubnetSpec
from tests.fixtures.patience import eventually
from tests.integration.network.conftest import HOST_ADDRESS
from tests.integration.network.documents import OPEN, ControlPlane
from tests.integration.network.guests import Guest, bridge_exists, network, port, run
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]

META = {"uuid": "", "hostname": "s1", "public_keys": {"k": "ssh-ed25519 AAAA"}, "availability_zone": "nova"}


@pytest.fixture
def control(driver):
    return ControlPlane(driver)


@pytest.fixture
def make_guest(driver, control, tmp_path):
    guests = []
    everything = control.group(*OPEN)

    def make(spec, instance=None, user_data=""):
        guest = Guest(spec, tmp_path)
        guests.append(guest)
        guest.start()
        instance = instance or new_id()
        driver.plug(instance, [spec], {**META, "uuid": instance}, user_data)
        control.put(spec, everything)
        return guest

    yield make
    for guest in guests:
        guest.stop()


def _dnsmasq_pid(state_dir: Path, net) -> int:
    return int((state_dir / "network" / net.id / "dnsmasq.pid").read_text())


def _is_running(pid: int) -> bool:
    """Whether there is such a process; one that nobody has buried yet is none."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return False


def _kill(pid: int) -> None:
    """Kill a process and wait until it is gone; a dying one still looks alive for a moment."""
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not _is_running(pid))


def test_plug_makes_a_tap_that_tells_whose_it_is(driver):
    net, instance = network(), new_id()
    spec = port(net, "10.99.0.5")
    driver.plug(instance, [spec], META, "")
    assert driver.plugged_ports() == {spec.id: instance}
    assert driver.leases() == driver.metadata_ports() == {spec.id}
    link = run("ip", "-d", "link", "show", tap_name(spec.id)).stdout
    assert "tun type tap" in link
    assert "persist on" in link
    assert "mtu 1400" in link
    assert f"master {bridge_name(net.id)}" in link


def test_plug_again_disturbs_nothing(driver, state_dir):
    net, instance = network(), new_id()
    spec = port(net, "10.99.0.5")
    driver.plug(instance, [spec], META, "")
    before = run("ip", "-o", "link", "show", tap_name(spec.id)).stdout, _dnsmasq_pid(state_dir, net)
    driver.plug(instance, [spec], META, "")
    assert (run("ip", "-o", "link", "show", tap_name(spec.id)).stdout, _dnsmasq_pid(state_dir, net)) == before


def test_guest_gets_its_address_mtu_routes_and_name_server_by_dhcp(driver, make_guest):
    guest = make_guest(port(network(), "10.99.0.5"))
    ip, mtu, router, dns, routes = guest.dhcp()
    assert (ip, mtu, router, dns) == ("10.99.0.5", "1400", "10.99.0.1", "192.0.2.53")
    assert routes == "169.254.169.254/32 10.99.0.1 0.0.0.0/0 10.99.0.1"
    assert guest.reaches("10.99.0.1")


def test_stranger_gets_no_lease(driver, make_guest):
    net = network()
    guest = make_guest(port(net, "10.99.0.5"))
    state_dir = driver._shelf._folder.parent
    server = Dnsmasq(driver._shelf.folder(net.id), Mark.of(state_dir).namespace(net.id))
    assert guest.dhcp()
    before = _dnsmasq_pid(state_dir, net)
    server.ensure(net, [])
    assert _dnsmasq_pid(state_dir, net) != before, "a fresh server runs"
    assert guest.dhcp(tries=2) == []


def test_address_of_a_deleted_port_goes_to_the_next_one(driver, make_guest):
    net, first_instance = network(), new_id()
    make_guest(port(net, "10.99.0.9"))
    assert make_guest(port(net, "10.99.0.5"), first_instance).dhcp()[0] == "10.99.0.5"
    driver.unplug(first_instance)
    assert make_guest(port(net, "10.99.0.5")).dhcp()[0] == "10.99.0.5"


def test_guest_reaches_its_host_and_the_other_guest(driver, make_guest):
    net = network()
    a, b = make_guest(port(net, "10.99.0.5")), make_guest(port(net, "10.99.0.6"))
    assert a.dhcp()
    assert b.dhcp()
    assert a.reaches("10.99.0.6")
    assert a.reaches(HOST_ADDRESS)


def test_overlapping_networks_do_not_meet(driver, make_guest, metadata_service):
    one, two = network(), network()
    a, b = make_guest(port(one, "10.99.0.5")), make_guest(port(two, "10.99.0.5"))
    c = make_guest(port(two, "10.99.0.6"))
    for guest in (a, b, c):
        assert guest.dhcp()
        guest.wait_for_metadata()
    assert a.misses("10.99.0.6")
    assert c.reaches("10.99.0.5")
    uuids = {guest.fetch_json("/openstack/latest/meta_data.json")["uuid"] for guest in (a, b, c)}
    assert len(uuids) == 3


def test_metadata_is_given_by_port_never_by_header(driver, make_guest, metadata_service):
    net = network()
    a, b = make_guest(port(net, "10.99.0.5"), user_data="aGVsbG8="), make_guest(port(net, "10.99.0.6"))
    for guest in (a, b):
        assert guest.dhcp()
        guest.wait_for_metadata()
    mine = a.fetch_json("/openstack/latest/meta_data.json")
    forged = a.fetch("/openstack/latest/meta_data.json", "-H", "X-Forwarded-For: 10.99.0.6", "-H", "X-Instance-ID: x")
    assert mine["uuid"] in forged[1]
    assert a.fetch("/openstack/latest/user_data") == (200, "hello")
    assert b.fetch("/openstack/latest/user_data")[0] == 404
    assert a.fetch("/latest/meta-data/local-ipv4") == (200, "10.99.0.5")
    assert a.fetch("/latest/meta-data/public-keys/0/openssh-key") == (200, "ssh-ed25519 AAAA")
    assert a.fetch("/nothing")[0] == 404


def test_guest_is_told_the_floating_address_that_leads_to_it(driver, control, state_dir, make_guest, metadata_service):
    guest = make_guest(port(network(), "10.99.0.5"))
    assert guest.dhcp()
    guest.wait_for_metadata()
    path = "/latest/meta-data/public-ipv4"
    assert guest.fetch(path) == (200, "")
    control.put(guest.port, floating_ips=["203.0.113.5"])
    assert guest.fetch(path) == (200, "203.0.113.5")
    (state_dir / FLOATING_FILE).unlink()
    LinuxBridgeNetwork(state_dir).restore()
    assert guest.fetch(path) == (200, "203.0.113.5")
    control.put(guest.port)
    assert guest.fetch(path) == (200, "")


def test_metadata_of_an_unplugged_port_is_gone_and_a_new_network_is_served(driver, make_guest, metadata_service):
    net, instance = network(), new_id()
    spec = port(net, "10.99.0.5")
    guest = make_guest(spec, instance)
    guest.dhcp()
    guest.wait_for_metadata()
    driver.unplug(instance)
    assert driver.metadata_ports() == set()
    again = make_guest(port(net, "10.99.0.5"))
    assert again.dhcp()
    again.wait_for_metadata()
    assert again.fetch("/openstack/latest/meta_data.json")[0] == 200


def test_network_without_gateway_has_dhcp_and_metadata_and_no_way_out(driver, make_guest, metadata_service):
    guest = make_guest(port(network(gateway_ip=""), "10.99.0.5"))
    ip, _, router, _, routes = guest.dhcp()
    assert (ip, router, routes) == ("10.99.0.5", "", "169.254.169.254/32 0.0.0.0")
    guest.wait_for_metadata()
    assert guest.fetch("/openstack/latest/meta_data.json")[0] == 200


def test_guest_cannot_send_as_somebody_else(driver, make_guest):
    net = network()
    a, b = make_guest(port(net, "10.99.0.5")), make_guest(port(net, "10.99.0.6"))
    a.static("10.99.0.5/24")
    b.static("10.99.0.6/24")
    assert a.reaches("10.99.0.6")
    a.static("10.99.0.77/24")
    assert a.misses("10.99.0.6", "10.99.0.77")
    a.do("ip", "link", "set", "eth0", "address", "fa:16:3e:aa:aa:aa")
    assert a.misses("10.99.0.6")
    a.do("ip", "link", "set", "eth0", "address", a.port.mac_address)
    assert a.reaches("10.99.0.6")


def test_guest_cannot_serve_dhcp(control, make_guest):
    net = network(dhcp_enabled=False)
    rogue, victim = make_guest(port(net, "10.99.0.5")), make_guest(port(net, "10.99.0.6"))
    rogue.static("10.99.0.5/24")
    argv = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces"]
    argv += [
        "--dhcp-range=10.99.0.100,10.99.0.120",
        "--leasefile-ro",
        "--user=root",
        "--log-facility=-",
        "--no-ping",
        "--dhcp-authoritative",
    ]
    process = subprocess.Popen(["ip", "netns", "exec", rogue.name, *argv], stderr=subprocess.DEVNULL)
    try:
        assert eventually(lambda: ":67 " in rogue.do("ss", "-H", "-l", "-u", "-n").stdout)
        assert victim.dhcp(tries=2) == []
        control.put(rogue.port, is_secured=False)
        assert victim.dhcp(), "so that silence means something"
    finally:
        process.terminate()
        process.wait(60)


def test_guest_cannot_talk_to_the_host_behind_its_namespace(driver, make_guest):
    net = network()
    guest = make_guest(port(net, "10.99.0.5"))
    guest.static("10.99.0.5/24", "10.99.0.1")
    assert guest.reaches(HOST_ADDRESS)
    address = Path(f"/sys/class/net/{bridge_name(net.id)}/address").read_text().strip()
    guest.do("ip", "neigh", "replace", HOST_ADDRESS, "lladdr", address, "dev", "eth0")
    guest.do("ip", "route", "replace", HOST_ADDRESS, "dev", "eth0")
    run("ip", "route", "replace", "10.99.0.5/32", "dev", bridge_name(net.id))
    assert guest.misses(HOST_ADDRESS)


def test_network_is_gone_with_its_last_port(driver, state_dir):
    net, first, second = network(), new_id(), new_id()
    driver.plug(first, [port(net, "10.99.0.5")], META, "")
    driver.plug(second, [port(net, "10.99.0.6")], META, "")
    pid = _dnsmasq_pid(state_dir, net)
    driver.unplug(first)
    assert bridge_exists(net)
    driver.unplug(second)
    driver.unplug(second)
    assert not bridge_exists(net)
    assert not Path(f"/run/netns/{Mark.of(state_dir).namespace(net.id)}").exists()
    assert not _is_running(pid)
    assert driver.plugged_ports() == {}
    assert driver.leases() == driver.metadata_ports() == set()
    assert not list((state_dir / "network").iterdir())
    assert not list((state_dir / "metadata").iterdir())


def test_dead_dhcp_server_and_bridge_come_back(driver, state_dir, make_guest):
    net = network()
    guest = make_guest(port(net, "10.99.0.5"))
    _kill(_dnsmasq_pid(state_dir, net))
    LinuxBridgeNetwork(state_dir).restore()
    assert guest.dhcp()[0] == "10.99.0.5"


def test_purge_leaves_nothing_of_ours_and_all_of_others(driver, state_dir, tmp_path):
    other = LinuxBridgeNetwork(tmp_path / "other")
    mine, theirs = network(), network()
    driver.plug(new_id(), [port(mine, "10.99.0.5")], META, "")
    other.plug(new_id(), [port(theirs, "10.99.0.5")], META, "")
    try:
        driver.purge()
        digest = Mark.of(state_dir).digest
        assert digest not in run("ip", "link").stdout + run("nft", "list", "tables").stdout
        assert digest not in run("ip", "netns", "list").stdout
        assert not bridge_exists(mine)
        assert bridge_exists(theirs)
        assert len(other.plugged_ports()) == 1
    finally:
        other.purge()


def test_ipv6_subnet_is_passed_over(driver):
    net = network()
    both = network().__class__(
        id=net.id, subnets=[*net.subnets, SubnetSpec(id=new_id(), cidr="fd00::/64", ip_version=6, gateway_ip="fd00::1")]
    )
    spec = port(both, "10.99.0.5")
    driver.plug(new_id(), [spec], META, "")
    assert driver.leases() == {spec.id}


@pytest.mark.parametrize("mac", ["fa:16:3e:00:00:01\nfa:16:3e:00:00:02", "FA:16:3E:00:00:01", ""])
def test_values_that_are_not_what_they_say_never_reach_a_file(driver, mac):
    spec = port(network(), "10.99.0.5")
    bad = spec.from_wire({**spec.to_wire(), "mac_address": mac})
    with pytest.raises(VifPlugFailed, match="MAC"):
        driver.plug(new_id(), [bad], META, "")
    assert driver.plugged_ports() == {}
