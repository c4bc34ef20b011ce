"""The connections that the kernel tracks: read by zone, and ended when nothing lets them pass any more."""

import errno
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pyroute2 import NFCTSocket
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple

from compute_agent.network.judgement import ICMP, ICMPV6, WITH_PORTS
from contracts.networks import ANY

_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ADDRESSES = {socket.AF_INET: "CTA_IP_V4", socket.AF_INET6: "CTA_IP_V6"}
_TYPES = {ICMP: "CTA_PROTO_ICMP", ICMPV6: "CTA_PROTO_ICMPV6"}


@dataclass(frozen=True)
class Connection:
    """A connection, as its first packet was: `port` is that of the destination, or the type of ICMP.

    `answered_by`, `answered_to`: whom answers come from and go to: other than destination and source where the kernel
    translates them.
    """

    zone: int
    source: str
    destination: str
    protocol: int
    port: int = ANY
    code: int = ANY
    answered_by: str = ""
    answered_to: str = ""


def end(zones: Iterable[int], is_over: Callable[[Connection], bool]) -> int:
    """End every connection of these zones that is over; return how many there were."""
    wanted, count = set(zones), 0
    for family in _FAMILIES if wanted else ():
        with closing(NFCTSocket(nfgen_family=family)) as kernel:
            for zone in sorted(wanted):
                found = list(_read(kernel, family, zone))
                for connection, identity in found:
                    if is_over(connection):
                        _end(kernel, zone, identity)
                        count += 1
    return count


def _read(kernel: Any, family: int, zone: int) -> Iterator[tuple[Connection, Any]]:
    for row in kernel.dump(zone=zone):
        # Kernels before 6.8 answer with all zones.
        if (row.get_attr("CTA_ZONE") or 0) == zone and row["nfgen_family"] == family:
            identity = row.get_attr("CTA_TUPLE_ORIG")
            if identity is not None:
                yield _connection(zone, family, identity, row.get_attr("CTA_TUPLE_REPLY")), identity


def _connection(zone: int, family: int, identity: Any, answer: Any) -> Connection:
    protocol = identity.get_attr("CTA_TUPLE_PROTO")
    number = protocol.get_attr("CTA_PROTO_NUM")
    port, code = ANY, ANY
    if number in WITH_PORTS:
        port = protocol.get_attr("CTA_PROTO_DST_PORT")
    elif number in _TYPES:
        port, code = (protocol.get_attr(f"{_TYPES[number]}_{name}") for name in ("TYPE", "CODE"))
    source, destination = _ends(family, identity)
    answered_by, answered_to = _ends(family, answer) if answer is not None else (destination, source)
    return Connection(zone, source, destination, number, port, code, answered_by, answered_to)


def _ends(family: int, one_way: Any) -> tuple[str, str]:
    addresses, prefix = one_way.get_attr("CTA_TUPLE_IP"), _ADDRESSES[socket.AddressFamily(family)]
    return addresses.get_attr(f"{prefix}_SRC"), addresses.get_attr(f"{prefix}_DST")


class _Raw(NFCTAttrTuple):
    """A tuple as the kernel told it, whatever the protocol."""

    def __init__(self, identity: Any) -> None:
        self._identity = identity

    def attrs(self) -> Any:
        return [[name, {"attrs": [list(one) for one in value["attrs"]]}] for name, value in self._identity["attrs"]]


def _end(kernel: Any, zone: int, identity: Any) -> None:
    try:
        kernel.entry("del", tuple_orig=_Raw(identity), zone=zone)
    except NetlinkError as exc:
        if exc.code != errno.ENOENT:  # it ended by itself
            raise
