"""Guests of ports without port security that change their MAC addresses, on a real kernel and across hosts."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address

import msgspec
import pytest

from compute_agent.network import namespaces
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import Mark, tap_name, tunnel_name
from contracts.compute import FixedIpSpec
from tests.contracts.following_suite import OTHER, THIRD, FollowingSuite, Walker
from tests.fixtures.patience import eventually
from tests.integration.network.documents import ControlPlane
from tests.integration.network.guests import Guest, network, port
from tests.integration.network.two_hosts import FIRST, SECOND, VXLAN, Tap
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]
_UNICAST_IP, _UDP = 0x0800, 17


def octets(mac_address: str) -> bytes:
    return bytes.fromhex(mac_address.replace(":", ""))


def datagram(source: str, to: str) -> bytes:
    """Return an IPv4 packet that nobody answers, with an empty UDP datagram to port 9."""
    header = bytes([0x45, 0, 0, 28, 0, 0, 0, 0, 64, _UDP, 0, 0]) + ip_address(source).packed + ip_address(to).packed
    total = sum(int.from_bytes(header[i : i + 2]) for i in range(0, 20, 2))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2)
    return header[:10] + checksum + header[12:] + bytes([0, 9, 0, 9, 0, 8, 0, 0])


def send_frames(namespace: str, to: str, sources: Iterable[str], packet: bytes) -> None:
    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
            out.bind(("eth0", 0))
            for source in sources:
                out.send(octets(to) + octets(source) + _UNICAST_IP.to_bytes(2) + packet)

    namespaces.run_in(namespace, send)


def send_frame(namespace: str, to: str, source: str, packet: bytes) -> None:
    send_frames(namespace, to, [source], packet)


class TestLinuxBridgeNetwork(FollowingSuite):
    @pytest.fixture
    def walker(self, tmp_path):
        net = network()
        spec = port(net, "10.99.0.5")
        second = FixedIpSpec(subnet_id=net.subnets[0].id, ip_address="10.99.0.6")
        spec = msgspec.structs.replace(spec, fixed_ips=[*spec.fixed_ips, second])
        mine, other = Guest(spec, tmp_path), Guest(port(net, "10.99.0.7"), tmp_path)
        driver = LinuxBridgeNetwork(tmp_path / "state")
        for guest in (mine, other):
            guest.start()
        driver.plug(new_id(), [spec, other.port], {}, "")
        ControlPlane(driver).put(other.port, is_secured=False)

        def hears_as(address: str) -> str:
            heard = Tap(mine.name, "eth0")
            packet = datagram("10.99.0.7", address)
            send_frame(other.name, spec.mac_address, other.port.mac_address, packet)
            (frame,) = [one for one in heard.until(packet) if packet in one.content]
            heard.close()
            return frame.to.hex(":")

        yield Walker(
            driver, lambda: LinuxBridgeNetwork(tmp_path / "state"), spec,
            lambda address, mac: send_frame(mine.name, other.port.mac_address, mac, datagram(address, "10.99.0.7")),
            hears_as,
        )  # fmt: skip
        driver.purge()
        for guest in (mine, other):
            guest.stop()


@pytest.fixture
def pair(hosts):
    """A guest on each of two hosts, of one network, that have reached each other."""
    net = network()
    near, far = (
        host.boot(port(net, address), VXLAN)
        for host, address in zip(hosts, ("10.99.0.5", "10.99.0.6"), strict=True)
    )
    hosts[0].meet(net, (far.port, SECOND))
    hosts[1].meet(net, (near.port, FIRST))
    assert far.reaches("10.99.0.5")
    assert near.reaches("10.99.0.6")
    return near, far


def change_mac(guest: Guest, mac_address: str) -> None:
    """As a person does it, and Tempest: the interface goes down, and has its address again when it is up."""
    cidr = f"{guest.port.fixed_ips[0].ip_address}/24"
    for words in (("link", "set", "eth0", "down"), ("link", "set", "eth0", "address", mac_address),
                  ("link", "set", "eth0", "up"), ("addr", "replace", cidr, "dev", "eth0")):  # fmt: skip
        guest.do("ip", *words)


def let_go(host, guest: Guest) -> None:
    """Turn port security off, and let the agent look."""
    host.control.put(guest.port, is_secured=False)
    host.driver.follow_guests()


def is_followed(host, guest: Guest, address: str) -> bool:
    """Whether a guest comes to reach an address while its host's agent looks now and then."""

    def look() -> bool:
        host.driver.follow_guests()
        return guest.reaches(address, seconds=0)

    return eventually(look)


def test_a_guest_with_another_mac_address_is_found_from_another_host(hosts, pair):
    near, far = pair
    change_mac(near, OTHER)
    assert near.misses("10.99.0.6")
    let_go(hosts[0], near)
    assert is_followed(hosts[0], near, "10.99.0.6")
    assert far.reaches("10.99.0.5")
    # Whoever has forgotten it asks his own host, which knows the port.
    far.do("ip", "neigh", "flush", "dev", "eth0")
    assert far.reaches("10.99.0.5")
    assert near.port.mac_address in far.do("ip", "neigh", "show", "10.99.0.5").stdout
    change_mac(near, near.port.mac_address)
    assert near.misses("10.99.0.6")
    assert is_followed(hosts[0], near, "10.99.0.6")


def test_ipv6_follows_too(tmp_path, hosts):
    net = network(cidr="fd00:77::/64", gateway_ip="", ip_version=6)
    near, far = (
        host.boot(port(net, address), VXLAN) for host, address in zip(hosts, ("fd00:77::5", "fd00:77::6"), strict=True)
    )
    hosts[0].meet(net, (far.port, SECOND))
    hosts[1].meet(net, (near.port, FIRST))
    assert near.reaches("fd00:77::6")
    let_go(hosts[0], near)
    near.do("ip", "link", "set", "eth0", "address", OTHER)
    assert is_followed(hosts[0], near, "fd00:77::6")
    assert far.reaches("fd00:77::5")


def test_nobody_beside_it_hears_what_is_for_a_guest_with_another_mac_address(hosts, pair, hear):
    near, far = pair
    beside = hosts[0].boot(port(near.port.network, "10.99.0.7"), VXLAN)
    hosts[0].control.put(beside.port, is_secured=False)
    change_mac(near, OTHER)
    let_go(hosts[0], near)
    assert is_followed(hosts[0], near, "10.99.0.6")
    # Else the bridge would forget it after five minutes, and have all its ports hear what is for it.
    rows = hosts[0].run("bridge", "fdb", "show", "dev", tap_name(near.port.id)).splitlines()
    assert [row for row in rows if row.startswith(near.port.mac_address) and "static" in row and "sticky" in row], rows
    heard = hear(beside.name, "eth0")
    assert far.reaches("10.99.0.5")
    assert beside.reaches("10.99.0.5")  # so that silence means something
    assert not [one for one in heard.frames() if one.source.hex(":") == far.port.mac_address]


def test_a_guest_takes_nothing_from_other_ports_of_its_network(hosts, pair, hear):
    """Not by its address, nor by its name: what is for it is led by what the control plane knows."""
    near, far = pair
    third = hosts[0].boot(port(near.port.network, "10.99.0.7"), VXLAN)
    hosts[1].meet(near.port.network, (near.port, FIRST), (third.port, FIRST))
    assert third.reaches("10.99.0.6")
    assert far.reaches("10.99.0.7")
    let_go(hosts[0], near)
    heard = hear(near.name, "eth0")
    leg = hosts[0].local._mark.leg_mac(near.port.network.id)
    victims = {far.port.mac_address: "10.99.0.6", third.port.mac_address: "10.99.0.7", leg: "10.99.0.1"}
    for name, address in victims.items():
        for claimed in (address, "10.99.0.5"):
            send_frame(near.name, "ff:ff:ff:ff:ff:ff", name, datagram(claimed, "10.99.0.8"))
    hosts[0].driver.follow_guests()
    assert third.reaches("10.99.0.1")
    assert third.reaches("10.99.0.6")
    assert far.reaches("10.99.0.7")
    assert not [one for one in heard.frames() if one.to.hex(":") in victims]


def test_what_an_earlier_release_let_a_guest_take_is_held_fast(hosts, pair):
    near, far = pair
    link, name = tunnel_name(near.port.network.id), far.port.mac_address

    def row() -> str:
        rows = hosts[0].run("bridge", "fdb", "show", "dev", link).splitlines()
        return next(one for one in rows if one.startswith(name) and "master" in one)

    assert "sticky" in row()
    hosts[0].run("bridge", "fdb", "replace", name, "dev", link, "master", "static")
    assert "sticky" not in row()
    assert not hosts[0].look(near).is_carried
    hosts[0].restart()
    assert "sticky" in row()
    assert hosts[0].look(near).is_carried
    assert near.reaches("10.99.0.6")


def test_a_guest_that_uses_a_thousand_mac_addresses_costs_no_more(hosts, pair):
    near, _ = pair
    let_go(hosts[0], near)
    table = Mark.of(hosts[0].folder / hosts[0].name).sightings_table
    names = [f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}" for number in range(1_000)]
    send_frames(near.name, "ff:ff:ff:ff:ff:ff", names, datagram("10.99.0.5", "10.99.0.7"))
    name = f"seen4_{near.port.id}"
    assert hosts[0].run("nft", "list", "set", "bridge", table, name).count(" . ") <= 257
    hosts[0].driver.follow_guests()
    assert hosts[0].run("nft", "list", "set", "bridge", table, name).count(" . ") <= 3  # it may have asked for somebody
    change_mac(near, THIRD)
    assert is_followed(hosts[0], near, "10.99.0.6")


def test_nothing_is_left_when_nobody_needs_it(hosts, pair):
    near, _ = pair
    assert "_seen" not in hosts[0].run("nft", "list", "tables")
    let_go(hosts[0], near)
    assert "_seen" in hosts[0].run("nft", "list", "tables")
    hosts[0].unplug(near)
    hosts[0].driver.follow_guests()
    assert "_seen" not in hosts[0].run("nft", "list", "tables")
