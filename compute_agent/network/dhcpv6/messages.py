"""A question in, an answer out. Who asks is known by the link-local address, which the port's guard has checked."""

import ipaddress
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE = range(1, 10)
INFORMATION_REQUEST = 11
LEASE_SECONDS = 86_400

_CLIENT_ID, _SERVER_ID, _IA_NA, _IA_ADDRESS, _STATUS, _RAPID_COMMIT, _NAME_SERVERS = 1, 2, 3, 5, 13, 14, 23
_SUCCESS, _NO_ADDRESSES, _NOT_ON_LINK = 0, 2, 4
_HEADER, _OPTION, _IA_HEADER = 4, 4, 12
_TO_THIS_SERVER = (REQUEST, RENEW, RELEASE, DECLINE)
_LONGEST_ID = 130
_HARDWARE_LINK_LAYER = struct.pack("!HH", 3, 1)  # a DUID-LL of Ethernet
Options = list[tuple[int, bytes]]


@dataclass(frozen=True)
class Lease:
    """What a port may have: addresses, and the name servers of its prefixes."""

    addresses: Sequence[str]
    name_servers: Sequence[str]


def server_id(mac_address: str) -> bytes:
    """Return what a server is known by."""
    return _HARDWARE_LINK_LAYER + bytes.fromhex(mac_address.replace(":", ""))


def answer(question: bytes, lease: Lease, own_id: bytes) -> bytes | None:
    """Return the answer to a port's question; None for what deserves none, as what is meant for another server."""
    try:
        kind, transaction = question[0], question[1:_HEADER]
        asked = _options(question[_HEADER:])
    except (IndexError, ValueError):
        return None
    client, server = _first(asked, _CLIENT_ID), _first(asked, _SERVER_ID)
    is_for_us = server == own_id if kind in _TO_THIS_SERVER else server in (None, own_id)
    if len(transaction) < _HEADER - 1 or not is_for_us or (client is None and kind != INFORMATION_REQUEST):
        return None
    if client is not None and not 0 < len(client) <= _LONGEST_ID:
        return None
    is_rapid = kind == SOLICIT and _first(asked, _RAPID_COMMIT) is not None
    said = _said(kind, asked, lease)
    if said is None:
        return None
    head = [(_SERVER_ID, own_id), *([(_CLIENT_ID, client)] if client is not None else [])]
    rapid = [(_RAPID_COMMIT, b"")] if is_rapid else []
    reply = ADVERTISE if kind == SOLICIT and not is_rapid else REPLY
    return bytes([reply]) + transaction + _packed([*head, *rapid, *said])


def _said(kind: int, asked: Options, lease: Lease) -> Options | None:
    """Return what of an answer depends on the question."""
    if kind == INFORMATION_REQUEST:
        return _servers(lease)
    if kind in (SOLICIT, REQUEST, RENEW, REBIND):
        return [*_associations(asked, lease), *_servers(lease)]
    if kind == CONFIRM:
        is_right = all(one in lease.addresses for one in _claimed(asked))
        return [_status(_SUCCESS if is_right else _NOT_ON_LINK)]
    return [_status(_SUCCESS)] if kind in (RELEASE, DECLINE) else None


def _associations(asked: Options, lease: Lease) -> Iterator[tuple[int, bytes]]:
    """Yield what each identity association gets: the first one the port's addresses; what it had beside these ends."""
    given = False
    for code, content in asked:
        if code != _IA_NA or len(content) < _IA_HEADER:
            continue
        mine = [] if given else [_address(one, LEASE_SECONDS) for one in lease.addresses]
        others = [_address(one, 0) for one in _addresses_in(content) if given or one not in lease.addresses]
        found = [*mine, *others] if mine or others else [_status(_NO_ADDRESSES)]
        times = struct.pack("!II", LEASE_SECONDS // 2, LEASE_SECONDS * 4 // 5)
        yield _IA_NA, content[:4] + times + _packed(found)
        given = True


def _address(address: str, seconds: int) -> tuple[int, bytes]:
    return _IA_ADDRESS, ipaddress.IPv6Address(address).packed + struct.pack("!II", seconds, seconds)


def _claimed(asked: Options) -> Iterator[str]:
    for code, content in asked:
        if code == _IA_NA:
            yield from _addresses_in(content)


def _addresses_in(association: bytes) -> list[str]:
    try:
        inner = _options(association[_IA_HEADER:])
    except ValueError:
        return []
    return [str(ipaddress.IPv6Address(one[:16])) for code, one in inner if code == _IA_ADDRESS and len(one) >= 16]


def _servers(lease: Lease) -> Options:
    packed = b"".join(ipaddress.IPv6Address(one).packed for one in lease.name_servers)
    return [(_NAME_SERVERS, packed)] if packed else []


def _status(code: int) -> tuple[int, bytes]:
    return _STATUS, struct.pack("!H", code)


def _options(content: bytes) -> Options:
    """Return the options. Raises ValueError: one is cut short."""
    found, place = [], 0
    while place < len(content):
        if len(content) - place < _OPTION:
            raise ValueError("half an option")
        code, length = struct.unpack_from("!HH", content, place)
        place += _OPTION
        if len(content) - place < length:
            raise ValueError(f"option {code} is cut short")
        found.append((code, content[place : place + length]))
        place += length
    return found


def _packed(options: Options) -> bytes:
    return b"".join(struct.pack("!HH", code, len(content)) + content for code, content in options)


def _first(options: Options, code: int) -> bytes | None:
    return next((content for found, content in options if found == code), None)


def leases(read: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Lease]:
    """Return the leases that a network's file names, by the link-local address of who asks."""
    return {source: Lease(one["addresses"], one["name_servers"]) for source, one in read.items()}
