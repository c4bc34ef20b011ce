"""Saying to the neighbours of a link where an address is now, so that they do not send to where it was."""

import ipaddress
import socket
import struct
from collections.abc import Iterable

_EVERYBODY = b"\xff" * 6
_ETHERNET_ARP = struct.pack("!H", 0x0806)
_REQUEST = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)


def announce(link: str, mac_address: str, addresses: Iterable[str]) -> None:
    """Broadcast a gratuitous ARP for each IPv4 address, in the namespace of the calling thread."""
    mac = bytes.fromhex(mac_address.replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((link, 0))
        for address in addresses:
            own = ipaddress.IPv4Address(address.partition("/")[0]).packed
            wire.send(_EVERYBODY + mac + _ETHERNET_ARP + _REQUEST + mac + own + bytes(6) + own)
