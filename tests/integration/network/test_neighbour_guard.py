"""What a guest may say to its neighbours of IPv6 addresses, on a real kernel: only what is true of its own."""

import msgspec
import pytest

from compute_agent.network.forwarding import link_local
from contracts.compute import FixedIpSpec
from tests.integration.network.documents import OPEN, ControlPlane, pair
from tests.integration.network.guests import Guest, network, port
from tests.integration.network.neighbours import (
    ADVERTISEMENT,
    ALL_NODES,
    ROUTER_ADVERTISEMENT,
    SOLICITATION,
    about,
    arrives,
    datagram,
    frame,
)
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]

META = {"uuid": "", "hostname": "s1", "public_keys": {}, "availability_zone": "nova"}
MINE, THEIRS, NOBODYS = "fd00::5", "fd00::6", "fd00::7"
CLIENT, SERVER = 546, 547  # ports of DHCPv6
UNSPECIFIED, ROUTER_LIFETIME = "::", b"\x40\x00\x07\x08" + bytes(8)


@pytest.fixture
def control(driver):
    return ControlPlane(driver)


@pytest.fixture
def guests(driver, control, tmp_path):
    """Two guests of one network that may say anything as themselves."""
    net, everything, made = network(), control.group(*OPEN), []
    for number in (5, 6):
        spec = port(net, f"10.99.0.{number}")
        both = [*spec.fixed_ips, FixedIpSpec(subnet_id=net.subnets[0].id, ip_address=f"fd00::{number}")]
        guest = Guest(msgspec.structs.replace(spec, fixed_ips=both), tmp_path)
        made.append(guest)
        guest.start()
        driver.plug(new_id(), [guest.port], META, "")
        control.put(guest.port, everything)
    yield made
    for guest in made:
        guest.stop()


def passes(guests, source: str, kind: int, body: bytes, mac_address: str = "") -> bool:
    """Whether an ICMPv6 message to all nodes arrives."""
    return arrives(*guests, frame(mac_address or guests[0].port.mac_address, source, kind, body))


def test_advertisement_of_its_own_address_passes_and_of_anothers_does_not(guests):
    own = link_local(guests[0].port.mac_address)
    for target in (MINE, own):
        assert passes(guests, own, ADVERTISEMENT, about(target))
        assert passes(guests, MINE, ADVERTISEMENT, about(target))
    for target in (THEIRS, NOBODYS, link_local(guests[1].port.mac_address), "fe80::a9fe:a9fe"):
        assert not passes(guests, own, ADVERTISEMENT, about(target))


def test_address_is_tried_by_its_owner_and_by_nobody_else(guests):
    own = link_local(guests[0].port.mac_address)
    assert passes(guests, UNSPECIFIED, SOLICITATION, about(own))
    assert passes(guests, UNSPECIFIED, SOLICITATION, about(MINE))
    for target in (THEIRS, link_local(guests[1].port.mac_address)):
        assert not passes(guests, UNSPECIFIED, SOLICITATION, about(target))
        assert not passes(guests, UNSPECIFIED, ADVERTISEMENT, about(target))


def test_anybody_may_be_asked_for_but_under_ones_own_address(guests):
    own = link_local(guests[0].port.mac_address)
    for source in (own, MINE):
        assert passes(guests, source, SOLICITATION, about(THEIRS))
    for source in (THEIRS, "fe80::1", link_local(guests[1].port.mac_address)):
        assert not passes(guests, source, SOLICITATION, about(THEIRS))


def test_no_guest_is_a_router(guests):
    own = link_local(guests[0].port.mac_address)
    for source in (own, MINE, "fe80::1"):
        assert not passes(guests, source, ROUTER_ADVERTISEMENT, ROUTER_LIFETIME)


def test_no_guest_answers_as_a_dhcpv6_server(guests):
    mac_address = guests[0].port.mac_address
    reply = b"\7abc"
    for source in (link_local(mac_address), MINE):
        assert arrives(*guests, datagram(mac_address, source, (CLIENT, SERVER), reply, ALL_NODES))
        assert not arrives(*guests, datagram(mac_address, source, (SERVER, CLIENT), reply, ALL_NODES))


def test_address_pairs_may_be_claimed_too(guests, control):
    mine, _ = guests
    own, virtual = link_local(mine.port.mac_address), "00:00:5e:00:02:01"
    everything = control.group(*OPEN)
    pairs = [pair("fd00::40/124", mine.port.mac_address), pair("fd00::77", virtual)]
    control.put(mine.port, everything, pairs=pairs)
    assert passes(guests, own, ADVERTISEMENT, about("fd00::4f"))
    assert passes(guests, UNSPECIFIED, SOLICITATION, about("fd00::41"))
    assert not passes(guests, own, ADVERTISEMENT, about("fd00::50"))
    assert passes(guests, link_local(virtual), ADVERTISEMENT, about("fd00::77"), virtual)
    assert not passes(guests, own, ADVERTISEMENT, about("fd00::77"))
    control.put(mine.port, everything)
    assert not passes(guests, own, ADVERTISEMENT, about("fd00::4f"))


def test_guests_find_each_other_and_try_their_addresses(guests):
    for guest, address in zip(guests, (MINE, THEIRS), strict=True):
        guest.do("ip", "addr", "add", f"{address}/64", "dev", "eth0")
    assert guests[0].reaches(THEIRS)
    assert guests[0].reaches(f"{link_local(guests[1].port.mac_address)}%eth0")
    assert "dadfailed" not in guests[0].do("ip", "-6", "addr").stdout
