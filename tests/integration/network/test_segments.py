"""Networks that reach across hosts, on a real kernel: two hosts are namespaces on a wire, guests are such as well."""

import socket
import struct

import pytest

from compute_agent.errors import VifPlugFailed
from compute_agent.network import namespaces
from compute_agent.network.kernel_types import kernel_types
from compute_agent.network.names import bridge_name, leg_name, tap_name, tunnel_name
from compute_agent.network.underlay import Underlay
from contracts.compute import FixedIpSpec
from contracts.networks import SegmentSpec
from tests.integration.network.documents import lets_in
from tests.integration.network.guests import network, port
from tests.integration.network.two_hosts import (
    FIRST,
    OUTSIDE,
    SECOND,
    VXLAN,
    WIRE,
    Host,
    connect,
    contents,
    make_hosts,
    tunnelled,
)

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]
FLAT = SegmentSpec(network_type="flat", mtu=1400, physical_network="lan")


@pytest.fixture
def pair(hosts):
    """Two guests of one network, on two hosts that know of each other's."""
    net = network()
    near, far = (
        host.boot(port(net, address), VXLAN)
        for host, address in zip(hosts, ("10.99.0.5", "10.99.0.6"), strict=True)
    )
    hosts[0].meet(net, (far.port, SECOND))
    hosts[1].meet(net, (near.port, FIRST))
    return near, far


def test_guests_reach_each_other_and_nothing_is_for_many_on_the_wire(hosts, pair, hear):
    near, far = pair
    wire = hear(hosts[1].name, WIRE)
    assert near.reaches("10.99.0.6")
    assert far.reaches("10.99.0.5")
    seen = tunnelled(wire.frames())
    assert {(one.source.hex(":"), one.to.hex(":")) for one in seen} == {
        (near.port.mac_address, far.port.mac_address), (far.port.mac_address, near.port.mac_address)
    }  # fmt: skip
    # Who has an address was answered on each host, not asked on the wire.
    assert {one.kind for one in seen} == {0x0800}
    assert far.port.mac_address in near.do("ip", "neigh", "show", "10.99.0.6").stdout


def test_what_is_for_many_or_for_nobody_stays_on_its_host(hosts, pair, hear):
    near, far = pair
    assert near.reaches("10.99.0.6")
    wire = hear(hosts[1].name, WIRE)
    near.do("busybox", "ping", "-c", "1", "-W", "1", "-b", "10.99.0.255", check=False)
    near.do("busybox", "arping", "-c", "1", "-w", "1", "-I", "eth0", "10.99.0.77", check=False)
    near.do("ip", "neigh", "replace", "10.99.0.78", "lladdr", "fa:16:3e:77:77:77", "dev", "eth0")
    assert near.misses("10.99.0.78")
    assert near.reaches("10.99.0.6")
    seen = tunnelled(wire.frames())
    assert {one.to.hex(":") for one in seen} == {near.port.mac_address, far.port.mac_address}


def test_networks_are_apart_though_they_have_the_same_addresses(hosts, pair, hear):
    near, far = pair
    other = network()
    stranger = hosts[1].boot(port(other, "10.99.0.7"), SegmentSpec(network_type="vxlan", mtu=1400, segmentation_id=78))
    twin = hosts[1].boot(port(other, "10.99.0.5"), SegmentSpec(network_type="vxlan", mtu=1400, segmentation_id=78))
    assert stranger.reaches("10.99.0.5")  # the one beside it
    assert near.reaches("10.99.0.6")
    assert near.misses("10.99.0.7")
    assert stranger.misses("10.99.0.6")
    heard = hear(twin.name, "eth0")
    assert far.reaches("10.99.0.5")
    assert not [one for one in heard.frames() if one.source.hex(":") == far.port.mac_address]


def test_security_groups_judge_what_comes_from_another_host(hosts, pair):
    near, far = pair
    assert near.reaches("10.99.0.6")
    closed = hosts[1].control.group(lets_in(6, 80))
    hosts[1].control.put(far.port, closed)
    assert near.misses("10.99.0.6")
    hosts[1].control.put(far.port, hosts[1].open)
    assert near.reaches("10.99.0.6")


def test_guests_find_each_other_by_ipv6(hosts, hear):
    net = network()
    specs = []
    for address, second in (("10.99.0.5", "fd00:99::5"), ("10.99.0.6", "fd00:99::6")):
        spec = port(net, address)
        spec.fixed_ips.append(FixedIpSpec(subnet_id=net.subnets[0].id, ip_address=second))
        specs.append(spec)
    near, far = (host.boot(spec, VXLAN) for host, spec in zip(hosts, specs, strict=True))
    hosts[0].meet(net, (far.port, SECOND))
    hosts[1].meet(net, (near.port, FIRST))
    wire = hear(hosts[1].name, WIRE)
    assert near.reaches("fd00:99::6")
    seen = tunnelled(wire.frames())
    assert seen
    assert not [one for one in seen if one.is_for_many]
    # And by the addresses that they gave themselves.
    local = far.do("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link").stdout.split()[3].partition("/")[0]
    assert near.reaches(f"{local}%eth0")


def test_tunnels_may_have_ipv6_addresses(tmp_path):
    made = make_hosts(tmp_path, ("fd00:1::1", "fd00:1::2"), length=64)
    try:
        net = network()
        near, far = (
            host.boot(port(net, address), VXLAN)
            for host, address in zip(made, ("10.99.0.5", "10.99.0.6"), strict=True)
        )
        made[0].meet(net, (far.port, "fd00:1::2"))
        made[1].meet(net, (near.port, "fd00:1::1"))
        assert near.reaches("10.99.0.6")
    finally:
        for host in made:
            host.stop()


def test_a_neighbour_that_goes_or_moves_is_followed(hosts, pair):
    near, far = pair
    net = far.port.network
    assert near.reaches("10.99.0.6")
    hosts[0].meet(net, (far.port, "192.0.2.99"))
    assert near.misses("10.99.0.6")
    assert "192.0.2.99" in hosts[0].run("bridge", "fdb", "show", "dev", tunnel_name(net.id))
    hosts[0].meet(net, (far.port, SECOND))
    assert near.reaches("10.99.0.6")
    hosts[0].control.tell(gone={"neighbours": [net.id]})
    near.do("ip", "neigh", "flush", "all")
    assert near.misses("10.99.0.6")
    assert SECOND not in hosts[0].run("bridge", "fdb", "show", "dev", tunnel_name(net.id))
    assert hosts[0].look(near).is_carried


def test_a_new_agent_interrupts_nothing_and_mends_what_was_lost(hosts, pair):
    near, far = pair
    link = tunnel_name(far.port.network.id)
    before = hosts[0].links("nvx"), hosts[0].run("bridge", "fdb", "show", "dev", link)
    hosts[0].restart()
    assert (hosts[0].links("nvx"), hosts[0].run("bridge", "fdb", "show", "dev", link)) == before
    assert hosts[0].look(near).is_carried
    losses = (
        ("bridge", "fdb", "del", far.port.mac_address, "dev", link, "dst", SECOND, "self"),
        ("ip", "neigh", "del", "10.99.0.6", "dev", link),
        ("ip", "link", "set", link, "nomaster"),
        ("ip", "link", "set", link, "down"),
        ("ip", "link", "del", link),
        ("bridge", "fdb", "append", "fa:16:3e:66:66:66", "dev", link, "dst", "192.0.2.66"),
    )
    for loss in losses:
        hosts[0].run(*loss)
        assert not hosts[0].look(near).is_carried, loss
        hosts[0].driver.restore()
        assert hosts[0].look(near).is_carried, loss
        near.do("ip", "neigh", "flush", "all")
        assert near.reaches("10.99.0.6"), loss


def test_a_link_with_another_number_is_made_anew(hosts, pair):
    near, far = pair
    assert near.reaches("10.99.0.6")
    hosts[0].control.tell(networks={
        far.port.network.id: SegmentSpec(network_type="vxlan", mtu=1400, segmentation_id=99)
    })  # fmt: skip
    assert "vxlan id 99 " in hosts[0].run("ip", "-d", "link", "show", tunnel_name(far.port.network.id))
    assert near.misses("10.99.0.6")


def test_the_carrier_goes_with_its_network_and_with_the_document(hosts, pair):
    near, far = pair
    hosts[0].unplug(near)
    assert hosts[0].links("nvx") == {}
    hosts[1].control.tell(gone={"networks": [far.port.network.id], "neighbours": [far.port.network.id]})
    assert hosts[1].links("nvx") == {}
    assert hosts[1].links(bridge_name(""))
    hosts[1].driver.purge()
    assert set(hosts[1].links("n")) <= {tap_name(far.port.id)}  # which is the test's


def test_a_host_without_a_tunnel_has_its_networks_to_itself(tmp_path):
    host = Host("nhost-c", "", tmp_path, Underlay())
    try:
        guest = host.boot(port(network(), "10.99.0.5"), VXLAN)
        host.meet(guest.port.network, (port(guest.port.network, "10.99.0.6"), SECOND))
        assert host.links("nvx") == {}
        assert host.look(guest).is_carried
        assert host.driver.underlay().network_types == tuple(one for one in kernel_types() if one != "vxlan")
    finally:
        host.stop()


def vxlan_packet(number: int, to: str, source: str, marker: bytes) -> bytes:
    header = struct.pack("!II", 0x08000000, number << 8)
    macs = bytes.fromhex(to.replace(":", "")) + bytes.fromhex(source.replace(":", ""))
    address = bytes([10, 99, 0, 250])
    question = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + macs[6:] + address + bytes(6) + address
    return header + macs + struct.pack("!H", 0x0806) + question + marker


def test_a_guest_cannot_speak_to_a_tunnel(hosts, pair, hear):
    """By its host, whose address its packets have outside, it would be believed."""
    near, far = pair
    near.do("ip", "route", "replace", "default", "via", "10.99.0.1")
    assert near.reaches(SECOND)

    def send(marker: bytes, to: int = 4789) -> None:
        packet = vxlan_packet(77, "ff:ff:ff:ff:ff:ff", "fa:16:3e:00:00:fa", marker)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(packet, (SECOND, to))
            out.sendto(packet, (FIRST, to))

    heard = hear(far.name, "eth0")
    wire = hear(hosts[1].name, WIRE)
    namespaces.run_in(near.name, lambda: send(b"by a guest"))
    namespaces.run_in(near.name, lambda: send(b"to no tunnel", 4790))  # so that silence means something
    assert tunnelled(wire.until(b"to no tunnel")) == []
    hosts[0].do(lambda: send(b"by the host"))  # so that silence means something here too
    assert b"by a guest" not in contents(heard.until(b"by the host"))


def test_a_host_s_leg_serves_its_own_guests_alone(hosts, pair, hear):
    """All hosts' legs have the same address: none may hear or answer the guests of another."""
    near, far = pair
    assert near.reaches("10.99.0.6")
    leg = hear(hosts[1].name, leg_name(far.port.network.id))
    packet = vxlan_packet(77, "ff:ff:ff:ff:ff:ff", near.port.mac_address, b"for the leg?")
    heard = hear(far.name, "eth0")

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(packet, (SECOND, 4789))

    hosts[0].do(send)
    heard.until(b"for the leg?")
    assert far.finds("10.99.0.1")
    seen = leg.frames()
    assert [one for one in seen if one.kind == 0x0806 and one.source.hex(":") == far.port.mac_address]
    assert b"for the leg?" not in contents(seen)


@pytest.fixture
def wired(tmp_path):
    """Two hosts that a network outside has a wire to."""
    made = make_hosts(tmp_path, wires={"lan": OUTSIDE})
    connect(*made, name=OUTSIDE)
    yield made
    for host in made:
        host.stop()


def test_a_flat_network_is_the_wire_itself(wired):
    net = network(gateway_ip="")
    near, _ = (
        host.boot(port(net, address), FLAT)
        for host, address in zip(wired, ("10.99.0.5", "10.99.0.6"), strict=True)
    )
    assert near.reaches("10.99.0.6")
    assert f"master {bridge_name(net.id)}" in wired[0].run("ip", "link", "show", OUTSIDE)
    wired[0].run("ip", "link", "set", OUTSIDE, "nomaster")
    assert not wired[0].look(near).is_carried
    wired[0].restart()
    assert wired[0].look(near).is_carried
    assert near.reaches("10.99.0.6")
    wired[1].control.tell(gone={"networks": [net.id]})
    assert "master" not in wired[1].run("ip", "link", "show", OUTSIDE)
    wired[0].unplug(near)
    assert "master" not in wired[0].run("ip", "link", "show", OUTSIDE)


def test_a_gateway_on_the_wire_is_nobody_elses(wired):
    net = network()
    guest = wired[0].boot(port(net, "10.99.0.5"), FLAT)
    wired[1].run("ip", "address", "add", "10.99.0.1/24", "dev", OUTSIDE)
    theirs = wired[1].run("ip", "-o", "link", "show", OUTSIDE).partition("link/ether ")[2].split()[0]

    def gateway() -> str:
        guest.do("ip", "neigh", "flush", "dev", "eth0")
        assert guest.reaches("10.99.0.1")
        return guest.do("ip", "neigh", "show", "10.99.0.1").stdout

    assert theirs in gateway()
    wired[0].control.tell(gone={"networks": [net.id]})
    assert theirs not in gateway()  # on no wire the host is the gateway of its own guests


def test_what_cannot_be_carried_is_said_and_the_rest_is_done(wired):
    net = network()
    guest = wired[0].boot(port(net, "10.99.0.5"), FLAT)
    wired[0].run("ip", "link", "del", OUTSIDE)
    closed = wired[0].control.group()
    with pytest.raises(VifPlugFailed, match="no interface ext0, which leads to lan"):
        wired[0].control.tell(
            networks={net.id: SegmentSpec(network_type="flat", mtu=1300, physical_network="lan")},
            guards={guest.port.id: wired[0].local._guards.kept().document.guards[guest.port.id]},
        )
    assert closed in wired[0].driver.known()["groups"]
    assert not wired[0].look(guest).is_carried
    assert wired[0].look(guest).is_filtered


@pytest.mark.skipif("vlan" in kernel_types(), reason="this kernel has 802.1Q: test_vlan looks at tagged frames")
def test_a_kernel_without_vlans_says_so(wired):
    vlan = SegmentSpec(network_type="vlan", mtu=1400, segmentation_id=9, physical_network="lan")
    with pytest.raises(VifPlugFailed, match="cannot make links of the kind vlan"):
        wired[0].boot(port(network(), "10.99.0.5"), vlan)


def test_a_wire_that_the_host_does_not_have_leads_nowhere(wired):
    far_away = SegmentSpec(network_type="flat", mtu=1400, physical_network="other")
    guest = wired[0].boot(port(network(), "10.99.0.5"), far_away)
    assert wired[0].look(guest).is_carried
    assert "master" not in wired[0].run("ip", "link", "show", OUTSIDE)
