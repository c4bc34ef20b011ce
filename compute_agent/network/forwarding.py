"""Whom a VXLAN link reaches: entries of the kernel's tables, made by what the control plane knows and by nothing else.

The link learns nothing and floods nothing. A frame goes to the host that the link's own table names for its MAC
address; a question for a neighbour's MAC address is answered by the link itself, from its permanent neighbours; the
bridge's table sends to the link what is for a neighbour, so that no other guest here sees it.
"""

import errno
import ipaddress
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NamedTuple, Self

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from contracts.networks import Neighbour

_IPV4, _IPV6 = 2, 10  # address families
_SELF, _MASTER = 2, 4  # whose table a forwarding entry is in: the link's own, or its bridge's
_ROUTER = 0x80  # a link says so of a neighbour when it answers for it
_STICKY = 0x40  # a bridge does not believe a port that sends under this MAC address: the entry stays where it is
_STATIC, _PERMANENT = 0x40, 0x80
SMALLEST_IPV6_MTU = 1280
_FOREIGN_MAC = "00:00:00:00:00:00"


class Entry(NamedTuple):
    """A row. `table`: of those below; `target`: the tunnel's other end, the neighbour's address, or nothing.

    A bridge's that goes with whoever sends under its MAC address, as those of earlier releases, has the target ROAMING.
    `is_router`: of a tunnel's, whether the neighbour is a router: guests forget a route by one that is said to be none.
    """

    table: str
    mac_address: str
    target: str = ""
    is_router: bool = False


TUNNEL, BRIDGE, ADDRESS = "tunnel", "bridge", "address"
ROAMING = "roaming"


def entries(neighbours: Iterable[Neighbour], mtu: int) -> set[Entry]:
    """Return the rows that lead to neighbours; a link with a smaller MTU than IPv6 needs has none of it."""
    found: set[Entry] = set()
    for port in neighbours:
        mac = port.mac_address
        found |= {Entry(TUNNEL, mac, _canonical(port.tunnel_ip), port.is_router), Entry(BRIDGE, mac)}
        addresses = {_canonical(address) for address in port.addresses}
        if any(":" in address for address in addresses):
            addresses.add(link_local(mac))
        found |= {Entry(ADDRESS, mac, one) for one in addresses if mtu >= SMALLEST_IPV6_MTU or ":" not in one}
    return found


def link_local(mac_address: str) -> str:
    """Return the IPv6 address that an interface gives itself on its link (RFC 4291, appendix A)."""
    octets = [int(part, 16) for part in mac_address.split(":")]
    octets[0] ^= 2
    interface = bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]])
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + interface))


class Forwarding:
    """A netlink connection to the tables. Use it as a context manager."""

    def __init__(self) -> None:
        self._ipr = IPRoute(strict_check=True)  # the kernel leaves out the rows of other links

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._ipr.close()

    def read(self, link: int) -> set[Entry]:
        """Return the rows that there are for a link, whoever made them."""
        rows = (_forwarding_entry(row) for row in self._ipr.fdb("dump", ifindex=link))
        found = {row for row in rows if row is not None}
        for family in (_IPV4, _IPV6):
            for row in self._ipr.neigh("dump", family=family, ifindex=link):
                if row["state"] & _PERMANENT:
                    mac = row.get_attr("NDA_LLADDR") or _FOREIGN_MAC
                    found.add(Entry(ADDRESS, mac, _canonical(row.get_attr("NDA_DST"))))
        return found

    def ensure(self, link: int, wanted: set[Entry]) -> None:
        """Have exactly these rows for a link: those that are right are not touched."""
        there = self.read(link)
        for entry in sorted(there - wanted):
            _ignore(errno.ENOENT, lambda entry=entry: self._change("del", link, entry))  # type: ignore[misc]
        for entry in sorted(wanted - there):
            _ignore(errno.EEXIST, lambda entry=entry: self._change("add", link, entry))  # type: ignore[misc]

    def seal(self, link: int) -> None:
        """Let the bridge learn nothing from what comes out of a link: no host can claim another's guests."""
        self._ipr.brport("set", index=link, learning=0)

    def pin(self, link: int, mac_address: str) -> None:
        """Have a bridge lead a MAC address to one of its ports, whoever else sends under it, or if nobody does."""
        self._ipr.fdb("replace", ifindex=link, lladdr=mac_address, flags=_MASTER | _STICKY, state=_STATIC)

    def _change(self, verb: str, link: int, entry: Entry) -> None:
        mac = entry.mac_address
        if entry.table == TUNNEL:
            flags = _SELF | (_ROUTER if entry.is_router else 0)
            self._ipr.fdb(verb, ifindex=link, lladdr=mac, dst=entry.target, flags=flags)
        elif entry.table == BRIDGE:
            if verb == "add":
                self.pin(link, mac)
            else:
                self._ipr.fdb(verb, ifindex=link, lladdr=mac, flags=_MASTER)
        else:
            family = _IPV6 if ":" in entry.target else _IPV4
            self._ipr.neigh(verb, family=family, ifindex=link, dst=entry.target, lladdr=mac, state=_PERMANENT)


def _forwarding_entry(row: Any) -> Entry | None:
    mac, target = row.get_attr("NDA_LLADDR"), row.get_attr("NDA_DST")
    if target and row["flags"] & _SELF:
        return Entry(TUNNEL, mac, _canonical(target), bool(row["flags"] & _ROUTER))
    is_own = row["state"] & _PERMANENT
    if not row.get_attr("NDA_MASTER") or is_own:
        return None
    return Entry(BRIDGE, mac, "" if row["flags"] & _STICKY else ROAMING)


def _canonical(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _ignore(code: int, call: Callable[[], Any]) -> None:
    try:
        call()
    except NetlinkError as exc:
        if exc.code != code:
            raise
