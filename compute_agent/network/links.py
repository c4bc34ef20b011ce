"""Bridges, taps, cables, addresses and routes over netlink: look first, make what lacks."""

import errno
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

_MAIN_TABLE = 254
IPV4, IPV6 = 2, 10  # address families
_ANYWHERE = {IPV4: "0.0.0.0", IPV6: "::"}  # noqa: S104 - a destination, not something to bind to
_GONE = frozenset({errno.ENODEV, errno.ENOENT})
_FORWARDING = 3  # the state of a bridge's port, BR_STATE_FORWARDING
_FORWARDING_SECONDS, _POLL_SECONDS = 3.0, 0.005


class Links:
    """A netlink connection to the namespace of the thread that opens it. Use it as a context manager."""

    def __init__(self) -> None:
        self._ipr = IPRoute()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._ipr.close()

    def find(self, name: str) -> Any:
        """Return the link's netlink message, or None."""
        try:
            return next(iter(self._ipr.link("get", ifname=name)), None)
        except NetlinkError as exc:
            if exc.code in _GONE:
                return None
            raise

    def aliases(self, prefix: str) -> dict[str, str]:
        """Return {name: alias} of the links whose alias begins with `prefix`."""
        seen = {link.get_attr("IFLA_IFNAME"): link.get_attr("IFLA_IFALIAS") or "" for link in self._ipr.get_links()}
        return {name: alias for name, alias in seen.items() if alias.startswith(prefix)}

    def names(self) -> set[str]:
        """Return the names of all links of the namespace."""
        return {link.get_attr("IFLA_IFNAME") for link in self._ipr.get_links()}

    def remove(self, name: str) -> None:
        """Remove a link; a missing one is a success."""
        link = self.find(name)
        if link is not None:
            _ignore(_GONE, lambda: self._ipr.link("del", index=link["index"]))

    def ensure_bridge(self, name: str, mtu: int, alias: str) -> int:
        """Have a bridge that is up, learns, speaks no STP and snoops no multicast; return its index."""
        if self.find(name) is None:
            bridge = {"br_stp_state": 0, "br_forward_delay": 0, "br_mcast_snooping": 0}
            self._add(ifname=name, kind="bridge", **bridge)
        return self._adjust(name, mtu, alias)

    def ensure_tap(self, name: str, bridge: int, mtu: int, alias: str) -> int:
        """Have a persistent tap in the bridge, ready for a hypervisor to open; return its index."""
        if self.find(name) is None:
            self._add(ifname=name, kind="tuntap", mode="tap", ifr={"no_pi": 1, "vnet_hdr": 1})
        return self._adjust(name, mtu, alias, bridge)

    def ensure_cable(self, name: str, far_name: str, far_namespace: str, mtu: int, alias: str) -> int:
        """Have a veth pair with its far end in a namespace; return the near end's index."""
        if self.find(name) is None:
            self._add(ifname=name, kind="veth", peer={"ifname": far_name, "net_ns_fd": far_namespace})
        return self._adjust(name, mtu, alias)

    def ensure_ifb(self, name: str, mtu: int, alias: str) -> int:
        """Have a link to which others' incoming traffic can be sent, to be queued; return its index."""
        if self.find(name) is None:
            self._add(ifname=name, kind="ifb")
        return self._adjust(name, mtu, alias)

    def ensure_carrier(self, name: str, bridge: int, mtu: int, alias: str, **kind: Any) -> int:
        """Have a link that carries a network in the network's bridge; return its index. `kind`: in netlink's words."""
        if self.find(name) is None:
            self._add(ifname=name, **kind)
        link = self.find(name)
        if link is not None and link.get_attr("IFLA_IFALIAS") != alias:
            # It keeps IPv6, for it answers for neighbours, but has no address of its own and believes no router.
            write_setting(f"net/ipv6/conf/{name}/addr_gen_mode", "1")
            write_setting(f"net/ipv6/conf/{name}/accept_ra", "0")
            write_setting(f"net/ipv6/conf/{name}/disable_ipv6", "0")
            self._ipr.link("set", index=link["index"], ifalias=alias)
        return self._adjust(name, mtu, alias, bridge)

    def join_if_elsewhere(self, name: str, bridge: int) -> None:
        """Make a link a port of a bridge unless it is one already."""
        link = self.find(name)
        if link is not None and link.get_attr("IFLA_MASTER") != bridge:
            self.join(link["index"], bridge)

    def leave_bridge(self, name: str) -> None:
        """Let a link be no bridge's port; a missing one is a success."""
        link = self.find(name)
        if link is not None:
            self._ipr.link("set", index=link["index"], master=0)

    def ports_of(self, bridge: int) -> dict[str, str]:
        """Return {name: alias} of the links in a bridge."""
        return {link.get_attr("IFLA_IFNAME"): link.get_attr("IFLA_IFALIAS") or "" for link in self._inside(bridge)}

    def indexes_in(self, bridge: int) -> dict[str, int]:
        """Return {name: index} of the links in a bridge."""
        return {link.get_attr("IFLA_IFNAME"): int(link["index"]) for link in self._inside(bridge)}

    def _inside(self, bridge: int) -> list[Any]:
        return [link for link in self._ipr.get_links() if link.get_attr("IFLA_MASTER") == bridge]

    def join(self, index: int, bridge: int) -> None:
        """Make a link a port of a bridge."""
        self._ipr.link("set", index=index, master=bridge)

    def await_forwarding(self, name: str) -> None:
        """Wait until a bridge passes on what comes by one of its ports, for a few seconds at most.

        Both ends of a cable are up at once, but the kernel lets the bridge know later, up to a second.
        """
        give_up_at = time.monotonic() + _FORWARDING_SECONDS
        while not self._is_forwarding(name) and time.monotonic() < give_up_at:
            time.sleep(_POLL_SECONDS)

    def _is_forwarding(self, name: str) -> bool:
        link = self.find(name)
        state = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE") if link else None
        return bool(state == _FORWARDING)

    def ensure_mac(self, name: str, mac_address: str) -> bool:
        """Have the link under this MAC address; return whether it had another one."""
        link = self.find(name)
        is_other = link is None or link.get_attr("IFLA_ADDRESS") != mac_address
        if is_other:
            self._ipr.link("set", index=int(self._index(name)), address=mac_address)
        return is_other

    def raise_up(self, name: str, mtu: int | None = None) -> int:
        """Bring a link up and return its index."""
        index = int(self._index(name))
        values = {"mtu": mtu} if mtu else {}
        self._ipr.link("set", index=index, state="up", **values)
        return index

    def addresses(self, index: int, family: int = IPV4) -> set[str]:
        """Return the addresses of a link, of one family, as `address/prefix length`."""
        rows = self._ipr.get_addr(index=index, family=family)
        return {f"{row.get_attr('IFA_ADDRESS')}/{row['prefixlen']}" for row in rows}

    def local_addresses(self) -> set[str]:
        """Return the IPv4 addresses of all links of the namespace, without prefix lengths."""
        return {row.get_attr("IFA_LOCAL") for row in self._ipr.get_addr(family=2)}

    def ensure_addresses(self, index: int, wanted: set[str], family: int = IPV4) -> set[str]:
        """Have exactly these addresses of a family on the link; return those that it did not have."""
        present = self.addresses(index, family)
        self._change_addresses("add", index, wanted - present)
        if present - wanted:
            self._change_addresses("del", index, present - wanted)
            # With the first address of a subnet the kernel takes away the others that a link has of it.
            self._change_addresses("add", index, wanted - self.addresses(index, family))
        return wanted - present

    def _change_addresses(self, verb: str, index: int, cidrs: Iterable[str]) -> None:
        for cidr in sorted(cidrs):
            address, _, length = cidr.partition("/")
            self._ipr.addr(verb, index=index, address=address, prefixlen=int(length))

    def ensure_route(self, destination: str, **target: Any) -> None:
        """Have a route; `target` in netlink's words (gateway, oif, scope)."""
        self._ipr.route("replace", dst=destination, **target)

    def ensure_hops(self, wanted: dict[str, str], family: int = IPV4) -> None:
        """Have exactly these routes by next hops of a family: {destination: next hop}."""
        present = {
            f"{row.get_attr('RTA_DST') or _ANYWHERE[family]}/{row['dst_len']}": row.get_attr("RTA_GATEWAY")
            for row in self._ipr.get_routes(family=family, table=_MAIN_TABLE)
            if row.get_attr("RTA_GATEWAY")
        }
        # An IPv6 route is another one with another next hop: what differs goes first.
        for destination in sorted(present):
            if wanted.get(destination) != present[destination]:
                self._ipr.route("del", family=family, dst=destination, gateway=present[destination])
        for destination, hop in sorted(wanted.items()):
            if present.get(destination) != hop:
                self.ensure_route(destination, family=family, gateway=hop)

    def _add(self, **link: Any) -> None:
        _ignore({errno.EEXIST}, lambda: self._ipr.link("add", **link))

    def _index(self, name: str) -> int:
        link = self.find(name)
        if link is None:
            raise NetlinkError(errno.ENODEV, f"no link {name}")
        return int(link["index"])

    def _adjust(self, name: str, mtu: int, alias: str, bridge: int | None = None) -> int:
        """Set what differs, so that nothing that runs is disturbed."""
        link = self.find(name)
        if link is None:
            raise NetlinkError(errno.ENODEV, f"link {name} vanished")
        wanted: dict[str, Any] = {}
        if link.get_attr("IFLA_IFALIAS") != alias:
            wanted["ifalias"] = alias
            silence_ipv6(name)
        if link.get_attr("IFLA_MTU") != mtu:
            wanted["mtu"] = mtu
        if bridge is not None and link.get_attr("IFLA_MASTER") != bridge:
            wanted["master"] = bridge
        if not link["flags"] & 1:
            wanted["state"] = "up"
        index = int(link["index"])
        if wanted:
            self._ipr.link("set", index=index, **wanted)
        return index


def silence_ipv6(link: str) -> None:
    """Let the host itself speak no IPv6 on a link: a link-local address there would be open to every guest."""
    write_setting(f"net/ipv6/conf/{link}/disable_ipv6", "1")


def speak_ipv6(link: str) -> None:
    """Let a namespace speak IPv6 on a link of its own: under the addresses that it is given, believing no router."""
    for name, value in (("addr_gen_mode", "1"), ("accept_ra", "0"), ("accept_dad", "0"), ("disable_ipv6", "0")):
        write_setting(f"net/ipv6/conf/{link}/{name}", value)


def write_setting(path: str, value: str) -> None:
    """Write a kernel setting of the current namespace; one that this kernel does not have is left out."""
    setting = Path("/proc/sys") / path
    if setting.exists() and setting.read_text().strip() != value:
        setting.write_text(value)


def _ignore(codes: set[int] | frozenset[int], call: Callable[[], Any]) -> None:
    try:
        call()
    except NetlinkError as exc:
        if exc.code not in codes:
            raise
