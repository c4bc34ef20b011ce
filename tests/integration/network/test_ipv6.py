"""IPv6 of a network on a real kernel: guests hear who routes and make their addresses; metadata answers by IPv6."""

import contextlib
import socket
import time

import msgspec
import pytest

from compute_agent.network import namespaces
from compute_agent.network.dhcpv6.messages import server_id
from compute_agent.network.dhcpv6.server import MOST_QUESTIONS
from compute_agent.network.forwarding import link_local
from compute_agent.network.hearing import POLL_SECONDS
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec
from contracts.networks import AdvertSpec, SegmentSpec, SubnetSpec
from tests.fixtures.patience import eventually, first
from tests.integration.network.documents import OPEN, ControlPlane, looked_at
from tests.integration.network.guests import Guest, network, port
from tests.integration.network.neighbours import ROUTER_ADVERTISEMENT, arrives, frame
from tests.unit.compute_agent.orders import new_id
from tests.unit.compute_agent.test_dhcpv6 import INFORMATION, NAME_SERVERS, SOLICIT, asked, association, given, read

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel", "metadata_service")]

META = {"uuid": "", "hostname": "s1", "public_keys": {}, "availability_zone": "nova"}
PREFIX, ROUTER_MAC = "fd00:6::/64", "fa:16:3e:00:66:01"
METADATA = "http://[fe80::a9fe:a9fe%25eth0]"
# What is answered at all is answered at once, but for a machine that has much else to do.
ANSWER_SECONDS = 5


@pytest.fixture
def control(driver):
    return ControlPlane(driver)


@pytest.fixture
def net() -> NetworkSpec:
    both = network()
    return msgspec.structs.replace(
        both, subnets=[*both.subnets, SubnetSpec(id=new_id(), cidr=PREFIX, ip_version=6, gateway_ip="fd00:6::1")]
    )


def made_of(cidr: str, mac_address: str) -> str:
    """The address that a guest makes for itself in a prefix."""
    return cidr.partition("::")[0] + link_local(mac_address).removeprefix("fe80")


@pytest.fixture
def make_guest(driver, control, tmp_path):
    guests, everything = [], control.group(*OPEN)

    def make(net: NetworkSpec, number: int) -> Guest:
        spec: PortSpec = port(net, f"10.99.0.{number}")
        own = FixedIpSpec(subnet_id=net.subnets[1].id, ip_address=made_of(PREFIX, spec.mac_address))
        guest = Guest(msgspec.structs.replace(spec, fixed_ips=[*spec.fixed_ips, own]), tmp_path)
        guests.append(guest)
        guest.start()
        instance = new_id()
        driver.plug(instance, [guest.port], {**META, "uuid": instance}, "")
        control.put(guest.port, everything)
        return guest

    yield make
    for guest in guests:
        guest.stop()


def advertise(control: ControlPlane, net: NetworkSpec, *adverts: AdvertSpec) -> None:
    control.tell(networks={net.id: SegmentSpec(network_type="local", mtu=1400, adverts=list(adverts))})


def lease(control: ControlPlane, net: NetworkSpec, *prefixes: AdvertSpec) -> None:
    """Have somebody else advertise the prefixes: nobody does, and only DHCPv6 is ours."""
    control.tell(networks={net.id: SegmentSpec(network_type="local", mtu=1400, leased=list(prefixes))})


def answers(guest: Guest, source: str) -> bool:
    """Whether the metadata address lets a guest connect from an address of its link."""

    def dial() -> bool:
        scope = socket.if_nametoindex("eth0")
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as near:
            near.settimeout(ANSWER_SECONDS)
            near.bind((source, 0, 0, scope))
            try:
                near.connect(("fe80::a9fe:a9fe", 80, 0, scope))
            except OSError:
                return False
            return True

    return namespaces.run_in(guest.name, dial)


def addresses(guest: Guest) -> str:
    """The guest's addresses that it has tried already: it answers to them."""
    return guest.do("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "global", "-tentative").stdout


def default_route(guest: Guest) -> str:
    return guest.do("ip", "-6", "route", "show", "default").stdout


def test_guest_makes_its_address_and_knows_no_way_out_without_a_router(control, net, make_guest):
    guest = make_guest(net, 5)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac"))
    assert eventually(lambda: guest.port.fixed_ips[1].ip_address in addresses(guest))
    assert default_route(guest) == ""
    assert "mtu 1400" in guest.do("ip", "-6", "route", "show", PREFIX).stdout or "1400" in guest.do(
        "cat", "/proc/sys/net/ipv6/conf/eth0/mtu"
    ).stdout


def test_guests_of_a_network_reach_each_other_by_the_addresses_that_they_made(control, net, make_guest):
    one, other = make_guest(net, 5), make_guest(net, 6)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac"))
    for guest in (one, other):
        assert eventually(lambda guest=guest: guest.port.fixed_ips[1].ip_address in addresses(guest))
    assert one.reaches(other.port.fixed_ips[1].ip_address)


def test_router_is_the_way_out_wherever_it_is_until_it_goes(control, net, make_guest):
    guest = make_guest(net, 5)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac", router_mac=ROUTER_MAC))
    assert eventually(lambda: f"via {link_local(ROUTER_MAC)}" in default_route(guest))
    assert ROUTER_MAC in guest.do("ip", "-6", "neigh", "show", link_local(ROUTER_MAC)).stdout
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac"))
    assert eventually(lambda: default_route(guest) == "")
    assert eventually(lambda: guest.port.fixed_ips[1].ip_address in addresses(guest))


def test_guest_that_starts_later_asks_and_is_answered(control, net, make_guest):
    make_guest(net, 5)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac", router_mac=ROUTER_MAC))
    late = make_guest(net, 6)
    assert eventually(lambda: late.port.fixed_ips[1].ip_address in addresses(late))


def test_stateful_prefix_is_on_the_link_and_makes_no_address(control, net, make_guest):
    guest = make_guest(net, 5)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="dhcpv6-stateful"))
    assert eventually(lambda: PREFIX in guest.do("ip", "-6", "route").stdout)
    assert guest.do("ip", "-6", "addr", "show", "dev", "eth0", "scope", "global").stdout == ""


def test_metadata_is_the_ports_own_by_ipv6_and_somebody_elses_address_gets_nothing(driver, control, net, make_guest):
    one, other = make_guest(net, 5), make_guest(net, 6)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac"))

    def ask(guest: Guest, *options: str) -> str:
        url = f"{METADATA}/openstack/latest/meta_data.json"
        return guest.do("curl", "-s", "-g", "-m", str(ANSWER_SECONDS), *options, url, check=False).stdout

    instances = driver.plugged_ports()
    for guest in (one, other):
        assert eventually(lambda guest=guest: instances[guest.port.id] in ask(guest))
        header = "X-Forwarded-For: " + other.port.fixed_ips[1].ip_address
        said = first(lambda guest=guest, header=header: ask(guest, "-H", header))
        assert instances[guest.port.id] in (said or "")
    own, theirs = (link_local(guest.port.mac_address) for guest in (one, other))
    one.do("ip", "addr", "add", f"{theirs}/64", "dev", "eth0", "nodad")
    assert answers(one, own)
    assert not answers(one, theirs)
    control.put(one.port, is_secured=False)
    assert answers(one, own)
    assert not answers(one, theirs)


def dhcpv6(guest: Guest, kind: int, *options: bytes) -> bytes | None:
    """Ask all servers from the guest's link-local address; return what one answers."""

    def ask() -> bytes | None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as near:
            near.settimeout(ANSWER_SECONDS)
            near.bind(("::", 546))
            name = server_id(guest.port.mac_address)
            near.sendto(
                asked(kind, *options, client=name), ("ff02::1:2", 547, 0, socket.if_nametoindex("eth0"))
            )
            try:
                return near.recv(1_500)
            except TimeoutError:
                return None

    try:
        return namespaces.run_in(guest.name, ask)
    except OSError:  # its own address on the link is still tried
        return None


def test_port_gets_its_address_and_name_servers_by_dhcpv6(driver, control, net, make_guest):
    one, other = make_guest(net, 5), make_guest(net, 6)
    advert = AdvertSpec(cidr=PREFIX, mode="dhcpv6-stateful", name_servers=["fd00::53"])
    advertise(control, net, advert)
    for guest in (one, other):
        said = first(lambda guest=guest: dhcpv6(guest, SOLICIT, association()))
        assert said is not None
        assert list(given(said)) == [guest.port.fixed_ips[1].ip_address]
    own = one.port.fixed_ips[1].ip_address
    assert looked_at(driver, one.port).leased_ipv6 == [own]
    assert {own, link_local(one.port.mac_address)} < {*looked_at(driver, one.port).answered}
    advertise(control, net, msgspec.structs.replace(advert, mode="dhcpv6-stateless"))
    assert looked_at(driver, one.port).leased_ipv6 == []
    assert eventually(lambda: (said := dhcpv6(one, SOLICIT, association())) is not None and given(said) == {})
    said = first(lambda: dhcpv6(one, INFORMATION))
    assert said is not None
    assert socket.inet_ntop(socket.AF_INET6, read(said[4:])[NAME_SERVERS]) == "fd00::53"
    advertise(control, net, msgspec.structs.replace(advert, mode="slaac"))
    assert eventually(lambda: dhcpv6(one, INFORMATION) is None)


def test_prefix_that_somebody_else_advertises_has_dhcpv6_and_no_word_of_a_router(control, net, make_guest, state_dir):
    guest = make_guest(net, 5)
    prefix = AdvertSpec(cidr=PREFIX, mode="dhcpv6-stateful", name_servers=["fd00::53"])
    lease(control, net, prefix)
    said = first(lambda: dhcpv6(guest, SOLICIT, association()))
    assert said is not None
    assert list(given(said)) == [guest.port.fixed_ips[1].ip_address]
    assert list((state_dir / "adverts").glob("*.json")) == []
    assert PREFIX not in guest.do("ip", "-6", "route").stdout
    lease(control, net)
    assert eventually(lambda: dhcpv6(guest, SOLICIT, association()) is None)


def test_guest_that_asks_all_the_time_is_answered_now_and_then(control, net, make_guest):
    one, other = make_guest(net, 5), make_guest(net, 6)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="dhcpv6-stateful"))
    assert eventually(lambda: dhcpv6(one, SOLICIT, association()) is not None)
    many = 2_000

    def flood() -> tuple[int, float]:
        """Return how many answers came, and in how many seconds."""
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as near:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            near.bind(("::", 546))
            question = asked(SOLICIT, association(), client=server_id(one.port.mac_address))
            began = time.monotonic()
            for _ in range(many):
                near.sendto(question, ("ff02::1:2", 547, 0, socket.if_nametoindex("eth0")))
            heard, seconds = 0, 0.0
            near.settimeout(ANSWER_SECONDS)
            with contextlib.suppress(TimeoutError):
                while near.recv(1_500):
                    heard, seconds = heard + 1, time.monotonic() - began
                    near.settimeout(1)
            return heard, seconds

    heard, seconds = namespaces.run_in(one.name, flood)
    looks = seconds / POLL_SECONDS + 1
    assert 0 < heard <= MOST_QUESTIONS * (looks + 1)
    assert eventually(lambda: dhcpv6(other, SOLICIT, association()) is not None)


def test_guests_advertisement_is_heard_by_nobody(control, net, make_guest):
    one, other = make_guest(net, 5), make_guest(net, 6)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac"))
    for guest in (one, other):
        assert eventually(lambda guest=guest: guest.port.fixed_ips[1].ip_address in addresses(guest))
    lifetime = b"\x40\x00\x07\x08" + bytes(8)
    rogue = frame(one.port.mac_address, link_local(one.port.mac_address), ROUTER_ADVERTISEMENT, lifetime)
    assert not arrives(one, other, rogue)
    assert default_route(other) == ""


def test_what_is_advertised_comes_back_and_goes_with_its_network(driver, control, net, make_guest, state_dir):
    guest = make_guest(net, 5)
    advertise(control, net, AdvertSpec(cidr=PREFIX, mode="slaac", router_mac=ROUTER_MAC))
    files = state_dir / "adverts"
    (told,) = files.iterdir()
    content = told.read_bytes()
    told.unlink()
    LinuxBridgeNetwork(state_dir).restore()
    assert told.read_bytes() == content
    assert eventually(lambda: default_route(guest) != "")
    driver.unplug(driver.plugged_ports()[guest.port.id])
    assert list(files.iterdir()) == []
    assert list((state_dir / "metadata").iterdir()) == []
