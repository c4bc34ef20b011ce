"""Saying to the neighbours of a link where an address is now, so that they do not send to where it was."""

import ipaddress
import socket
import struct
from collections.abc import Iterable

from compute_agent.network.icmpv6 import option, packed_mac, to_all_nodes

_EVERYBODY = b"\xff" * 6
_ETHERNET_ARP = struct.pack("!H", 0x0806)
_REQUEST = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
_ADVERTISEMENT, _FROM_A_ROUTER, _OVERRIDE, _LINK_ADDRESS = 136, 0x80, 0x20, 2


def announce(link: str, mac_address: str, addresses: Iterable[str]) -> None:
    """Broadcast a gratuitous ARP for each IPv4 address, in the namespace of the calling thread."""
    mac = bytes.fromhex(mac_address.replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((link, 0))
        for address in addresses:
            own = ipaddress.IPv4Address(address.partition("/")[0]).packed
            wire.send(_EVERYBODY + mac + _ETHERNET_ARP + _REQUEST + mac + own + bytes(6) + own)


def announce_ipv6(link: str, mac_address: str, addresses: Iterable[str]) -> None:
    """Say to all nodes that a router has each of these IPv6 addresses now, in the namespace of the calling thread."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((link, 0))
        for one in addresses:
            address = one.partition("/")[0]
            message = struct.pack("!BBHB3x", _ADVERTISEMENT, 0, 0, _FROM_A_ROUTER | _OVERRIDE)
            message += ipaddress.IPv6Address(address).packed + option(_LINK_ADDRESS, packed_mac(mac_address))
            wire.send(to_all_nodes(mac_address, address, message))
