"""Messages of ICMPv6 to all nodes of a link, as whole frames."""

import ipaddress
import struct

_ALL_NODES = ipaddress.IPv6Address("ff02::1").packed
_ALL_NODES_MAC = bytes.fromhex("333300000001")
_ETHERNET_IPV6, _ICMPV6, _HOPS = 0x86DD, 58, 255


def to_all_nodes(mac_address: str, source: str, message: bytes) -> bytes:
    """Return the frame from a MAC address and an IPv6 address; the message's checksum is filled in.

    A bridge learns where the MAC address is; the IPv6 address may be another's.
    """
    sender = ipaddress.IPv6Address(source).packed
    checked = message[:2] + struct.pack("!H", _checksum(sender + _ALL_NODES, message)) + message[4:]
    header = struct.pack("!IHBB", 6 << 28, len(checked), _ICMPV6, _HOPS)
    ethernet = _ALL_NODES_MAC + packed_mac(mac_address) + struct.pack("!H", _ETHERNET_IPV6)
    return ethernet + header + sender + _ALL_NODES + checked


def option(kind: int, content: bytes) -> bytes:
    """Return an option of neighbour discovery; its length is told in units of eight bytes, which it must fill."""
    return struct.pack("!BB", kind, (len(content) + 2) // 8) + content


def packed_mac(mac_address: str) -> bytes:
    """Return a MAC address as it is on the wire."""
    return bytes.fromhex(mac_address.replace(":", ""))


def _checksum(ends: bytes, message: bytes) -> int:
    content = ends + struct.pack("!II", len(message), _ICMPV6) + message
    total: int = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
