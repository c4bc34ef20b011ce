"""Frames of IPv6, of its neighbour discovery above all, made by the test and heard by it, as a guest could make any."""

import ipaddress
import itertools
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from compute_agent.network import namespaces
from compute_agent.network.forwarding import link_local
from tests.integration.network.guests import Guest

ROUTER_ADVERTISEMENT, SOLICITATION, ADVERTISEMENT = 134, 135, 136
ALL_NODES = "ff02::1"
_ETHERNET_IPV6, _ICMPV6, _UDP, _HOPS = 0x86DD, 58, 17, 255
_PATIENCE_SECONDS = 20


def frame(mac_address: str, source: str, kind: int, body: bytes, to: str = ALL_NODES) -> bytes:
    """An ICMPv6 message to a group, with the right checksum."""
    return _packet(mac_address, source, to, _ICMPV6, struct.pack("!BBH", kind, 0, 0) + body, 2)


def datagram(mac_address: str, source: str, ports: tuple[int, int], body: bytes, to: str) -> bytes:
    """A UDP message to a group, with the right checksum. `ports`: the sender's, and the one that it goes to."""
    return _packet(mac_address, source, to, _UDP, struct.pack("!HHHH", *ports, 8 + len(body), 0) + body, 6)


def _packet(mac_address: str, source: str, to: str, protocol: int, message: bytes, checksum_at: int) -> bytes:
    sender, group = ipaddress.IPv6Address(source).packed, ipaddress.IPv6Address(to).packed
    total = sum(struct.unpack(f"!{(len(message) + 1) // 2}H", message + b"\0" * (len(message) % 2)))
    total += sum(struct.unpack("!16H", sender + group)) + len(message) + protocol
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    message = message[:checksum_at] + struct.pack("!H", ~total & 0xFFFF) + message[checksum_at + 2 :]
    ethernet = b"\x33\x33" + group[-4:] + bytes.fromhex(mac_address.replace(":", ""))
    header = struct.pack("!IHBB", 6 << 28, len(message), protocol, _HOPS)
    return ethernet + struct.pack("!H", _ETHERNET_IPV6) + header + sender + group + message


def about(target: str) -> bytes:
    """What a solicitation or an advertisement has after its checksum, without options."""
    return bytes(4) + ipaddress.IPv6Address(target).packed


def send(guest: Guest, content: bytes) -> None:
    def put() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind(("eth0", 0))
            wire.send(content)

    namespaces.run_in(guest.name, put)


@contextmanager
def ear(guest: Guest) -> Iterator[socket.socket]:
    """A socket that gets all IPv6 frames that reach a guest."""

    def listen() -> socket.socket:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETHERNET_IPV6))
        wire.bind(("eth0", _ETHERNET_IPV6))
        return wire

    with namespaces.run_in(guest.name, listen) as wire:
        yield wire


def arrives(guest: Guest, other: Guest, content: bytes) -> bool:
    """Whether a frame arrives before one that certainly does: a bridge sends nothing to a cable just plugged."""
    own_mac = guest.port.mac_address
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    for number in itertools.count(1):
        last = frame(own_mac, link_local(own_mac), SOLICITATION, about(f"fd00::dead:{number:x}"))
        with ear(other) as wire:
            send(guest, content)
            send(guest, last)
            heard = _until(wire, last)
        if heard is not None:
            return content in heard
        assert time.monotonic() < give_up_at, "nothing at all arrives"
    return False


def _until(wire: socket.socket, last: bytes) -> list[bytes] | None:
    """Return what came before a frame, or None if that does not come within a second."""
    found: list[bytes] = []
    end = time.monotonic() + 1
    while (left := end - time.monotonic()) > 0:
        wire.settimeout(left)
        try:
            content = wire.recv(2_000)
        except TimeoutError:
            return None
        if content == last:
            return found
        found.append(content)
    return None
