"""Router advertisements as bytes, read as a guest reads them."""

import ipaddress
import struct

import pytest

from compute_agent.network.adverts.frames import frames
from compute_agent.network.forwarding import link_local
from contracts.networks import AdvertSpec, SegmentSpec

LEG, ROUTER = "02:00:00:00:00:01", "fa:16:3e:00:00:02"
HEADERS, FIXED = 14 + 40, 16  # of Ethernet and IPv6; what of the message comes before the options


def sent(*adverts: AdvertSpec, mtu: int = 1400) -> dict[str, dict[str, str]]:
    return frames(SegmentSpec(network_type="local", mtu=mtu, adverts=list(adverts)), LEG)


def options(frame: bytes) -> dict[int, bytes]:
    found, rest = {}, frame[HEADERS + FIXED :]
    while rest:
        kind, length = rest[0], rest[1] * 8
        assert length
        found[kind], rest = rest[2:length], rest[length:]
    return found


def head(frame: bytes) -> tuple[int, int]:
    """The flags, and for how long the sender is a router."""
    flags, lifetime = struct.unpack_from("!BH", frame, HEADERS + 5)
    return flags, lifetime


def test_router_is_the_sender_and_its_address_is_told_but_the_frame_is_the_legs():
    ((sender, one),) = sent(AdvertSpec(cidr="fd00::/64", mode="slaac", router_mac=ROUTER)).items()
    frame = bytes.fromhex(one["advert"])
    assert sender == link_local(ROUTER) == str(ipaddress.IPv6Address(frame[22:38]))
    assert frame[:14].hex() == "333300000001" + LEG.replace(":", "") + "86dd"
    assert options(frame)[1].hex(":") == ROUTER
    assert head(frame) == (0, 1_800)
    assert head(bytes.fromhex(one["farewell"])) == (0, 0)


def test_checksum_is_right():
    for one in sent(AdvertSpec(cidr="fd00::/64", mode="slaac", name_servers=["fd00::53", "fd00::54"])).values():
        frame = bytes.fromhex(one["advert"])
        message = frame[HEADERS:]
        content = frame[22:54] + struct.pack("!II", len(message), 58) + message
        total = sum(struct.unpack(f"!{len(content) // 2}H", content))
        assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


@pytest.mark.parametrize(("mode", "flags", "of_prefix"), [
    ("slaac", 0, 0xC0), ("dhcpv6-stateless", 0x40, 0xC0), ("dhcpv6-stateful", 0xC0, 0x80),
])  # fmt: skip
def test_flags_say_where_the_address_and_the_rest_come_from(mode, flags, of_prefix):
    ((sender, one),) = sent(AdvertSpec(cidr="fd00:1::/64", mode=mode)).items()
    frame = bytes.fromhex(one["advert"])
    assert sender == "fe80::a9fe:a9fe"
    assert head(frame) == (flags, 0)
    prefix = options(frame)[3]
    assert (prefix[0], prefix[1]) == (64, of_prefix)
    assert ipaddress.IPv6Address(prefix[14:]) == ipaddress.IPv6Address("fd00:1::")


def test_mtu_and_name_servers_are_told():
    ((_, one),) = sent(AdvertSpec(cidr="fd00::/64", mode="slaac", name_servers=["fd00::53"])).items()
    found = options(bytes.fromhex(one["advert"]))
    assert struct.unpack("!HI", found[5]) == (0, 1_400)
    assert str(ipaddress.IPv6Address(found[25][6:])) == "fd00::53"


def test_each_router_has_its_own_prefixes_and_a_small_network_has_none():
    routed = AdvertSpec(cidr="fd00:1::/64", mode="slaac", router_mac=ROUTER)
    both = [routed, AdvertSpec(cidr="fd00:2::/64", mode="slaac")]
    assert sent(*both).keys() == {link_local(ROUTER), "fe80::a9fe:a9fe"}
    assert sent(*both, mtu=1_000) == {}
