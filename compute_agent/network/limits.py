"""How much may pass a port, by tc: what is there is read, and what differs is changed.

Into the guest: a token bucket at the tap's root. Out of it: what the tap receives goes through a link of its own (an
ifb) with a token bucket, and comes back as if from the tap, so bridge and rules see it as before. Policing would need
no second link, but drops what shaping only delays, and not every kernel has it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pyroute2 import IPRoute
from pyroute2.netlink.rtnl.tcmsg.common import get_rate_parameters

from compute_agent.network.links import Links
from compute_agent.network.names import Mark, limiter_name, tap_name
from contracts.networks import LimitSpec

_BITS_A_KBIT, _BITS_A_BYTE = 1_000, 8
# Neutron's default: enough that TCP comes close to the limit.
_DEFAULT_BURST = 0.8
_QUEUE_SECONDS = 0.05
# What the kernel's fields hold: bytes a second, and a bucket's time to fill in ticks of 64 ns.
_LARGEST_FIELD = 2**32 - 1
_LONGEST_FILL_SECONDS = 270
_SHORTEST_FILL_SECONDS = 0.01  # between two ticks of the slowest kernel's clock the bucket must not run over
_FRAME_OVERHEAD = 64
# What a guest may hand over at once for the kernel to cut into frames: all of it may wait, or its end would be lost.
_LARGEST_SEGMENT = 65_536

_ROOT_HANDLE = 0x10000
_ROOT_PARENT = 0xFFFFFFFF
_INGRESS_HANDLE = 0xFFFF0000
_ETH_P_ALL = 0x0003
_BUCKET, _INGRESS, _FILTER = "tbf", "ingress", "u32"
_REDIRECT = ("TCA_OPTIONS", "TCA_U32_ACT", "TCA_ACT_PRIO_1", "TCA_ACT_OPTIONS", "TCA_MIRRED_PARMS")
_FIELDS = ("rate", "buffer", "limit")
_NONE = LimitSpec()


Fields = tuple[int, ...]  # of a bucket as the kernel keeps it: rate in bytes a second, ticks to fill it, most bytes


@dataclass(frozen=True)
class Bucket:
    """A token bucket: bytes a second, bytes that may pass at once, and those and the bytes that may wait."""

    rate: int
    burst: int
    limit: int

    @classmethod
    def of(cls, kbps: int, burst_kb: int, mtu: int) -> "Bucket | None":
        """Return the bucket for a limit on a link with this MTU, or None for no limit.

        A burst of 0 is four fifths of a second's worth. It is at least a whole frame, which could never pass otherwise,
        and what comes between two ticks of a clock.
        """
        if not kbps:
            return None
        rate = min(kbps * _BITS_A_KBIT // _BITS_A_BYTE, _LARGEST_FIELD)
        asked = burst_kb * _BITS_A_KBIT // _BITS_A_BYTE or int(rate * _DEFAULT_BURST)
        burst = max(asked, mtu + _FRAME_OVERHEAD, int(rate * _SHORTEST_FILL_SECONDS))
        burst = min(burst, rate * _LONGEST_FILL_SECONDS, _LARGEST_FIELD // 2)
        waiting = max(int(rate * _QUEUE_SECONDS), _LARGEST_SEGMENT)
        return cls(rate, burst, min(burst + waiting, _LARGEST_FIELD))

    @property
    def words(self) -> dict[str, Any]:
        """The bucket in pyroute2's words."""
        return {"rate": f"{self.rate * _BITS_A_BYTE}bit", "burst": self.burst, "limit": self.limit}

    @property
    def fields(self) -> Fields:
        """The bucket as the kernel will tell it."""
        found = get_rate_parameters(self.words)
        return tuple(found[name] for name in _FIELDS)


class Shaper:
    """One look at the limits of this host's ports, and the means to change them. Use it as a context manager.

    Args:
        mark: of our installation.
    """

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._ipr = IPRoute()
        self._links = Links()

    def __enter__(self) -> Self:
        self._indexes, self._mtus = self._read_links()
        self._queues = self._read_queues()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._links.__exit__(kind, error, None)
        self._ipr.close()

    def limit(self, limits: Mapping[str, LimitSpec], port_ids: Iterable[str]) -> None:
        """Have these ports limited so; one without an entry has no limit.

        One without a tap is left out: it gets its limits with its tap.
        """
        for port_id in port_ids:
            if tap_name(port_id) in self._indexes:
                self._limit(port_id, limits.get(port_id, _NONE))

    def sweep(self, port_ids: Iterable[str]) -> None:
        """Remove the limiters of ours that belong to none of these ports."""
        wanted = {limiter_name(port_id) for port_id in port_ids}
        for name in sorted(self._links.aliases(self._mark.limit_alias("")).keys() - wanted):
            self._links.remove(name)

    def is_as_wanted(self, port_id: str, limit: LimitSpec | None) -> bool:
        """Whether a port is limited so, in both directions; None for not at all."""
        tap = self._indexes.get(tap_name(port_id))
        if tap is None:
            return True
        into, out_of = _buckets(limit or _NONE, self._mtus[tap])
        return self._is_filled(tap, into) and self._is_limited_out(port_id, tap, out_of)

    def _limit(self, port_id: str, limit: LimitSpec) -> None:
        tap = self._indexes[tap_name(port_id)]
        mtu = self._mtus[tap]
        into, out_of = _buckets(limit, mtu)
        self._fill(tap, into)
        if self._is_limited_out(port_id, tap, out_of):
            return
        if out_of is None:
            self._ipr.tc("del", _INGRESS, tap)  # before its limiter, without which nothing would leave the guest
            return
        limiter = self._links.ensure_ifb(limiter_name(port_id), mtu, self._mark.limit_alias(port_id))
        self._fill(limiter, out_of)
        self._redirect(tap, limiter)

    def _is_limited_out(self, port_id: str, tap: int, bucket: Bucket | None) -> bool:
        limiter = self._indexes.get(limiter_name(port_id))
        if bucket is None:
            return (tap, _INGRESS) not in self._queues
        return limiter is not None and self._is_filled(limiter, bucket) and self._redirected_to(tap) == limiter

    def _is_filled(self, link: int, bucket: Bucket | None) -> bool:
        return self._fields(link) == (bucket.fields if bucket else None)

    def _fill(self, link: int, bucket: Bucket | None) -> None:
        """Have this token bucket at a link's root, or none of ours."""
        if self._is_filled(link, bucket):
            return
        if bucket is None:
            self._ipr.tc("del", index=link, handle=_ROOT_HANDLE, parent=_ROOT_PARENT)
        else:
            self._ipr.tc("replace", _BUCKET, link, _ROOT_HANDLE, **bucket.words)

    def _redirect(self, tap: int, limiter: int) -> None:
        """Send all that a tap receives through the limiter."""
        if self._redirected_to(tap) == limiter:
            return
        if (tap, _INGRESS) in self._queues:
            self._ipr.tc("del", _INGRESS, tap)
        self._ipr.tc("add", _INGRESS, tap)
        self._ipr.tc(
            "add-filter", _FILTER, tap, parent=_INGRESS_HANDLE, prio=1, protocol=_ETH_P_ALL, target=_ROOT_HANDLE + 1,
            keys=["0x0/0x0+0"],  # everything
            action={"kind": "mirred", "direction": "egress", "action": "redirect", "ifindex": limiter},
        )  # fmt: skip

    def _redirected_to(self, tap: int) -> int:
        """Return the index of the link that a tap's traffic goes through; 0 for none."""
        if (tap, _INGRESS) not in self._queues:
            return 0
        for row in self._ipr.get_filters(index=tap, parent=_INGRESS_HANDLE):
            found = row.get_nested(*_REDIRECT)
            if found:
                return int(found["ifindex"])
        return 0

    def _fields(self, link: int) -> Fields | None:
        row = self._queues.get((link, _BUCKET))
        if row is None:
            return None
        found = row.get_nested("TCA_OPTIONS", "TCA_TBF_PARMS")
        return tuple(found[name] for name in _FIELDS)

    def _read_links(self) -> tuple[dict[str, int], dict[int, int]]:
        rows = list(self._ipr.get_links())
        indexes = {row.get_attr("IFLA_IFNAME"): int(row["index"]) for row in rows}
        return indexes, {int(row["index"]): int(row.get_attr("IFLA_MTU")) for row in rows}

    def _read_queues(self) -> dict[tuple[int, str], Any]:
        """Return the queueing disciplines of ours by link and kind."""
        ours = {(_BUCKET, _ROOT_PARENT), (_INGRESS, _INGRESS_HANDLE + 0xFFF1)}
        rows = [(row, row.get_attr("TCA_KIND")) for row in self._ipr.get_qdiscs()]
        return {(int(row["index"]), kind): row for row, kind in rows if (kind, row["parent"]) in ours}


def _buckets(limit: LimitSpec, mtu: int) -> tuple[Bucket | None, Bucket | None]:
    """Return the buckets into the guest and out of it."""
    return Bucket.of(limit.ingress_kbps, limit.ingress_burst_kb, mtu), Bucket.of(
        limit.egress_kbps, limit.egress_burst_kb, mtu
    )


def bring(mark: Mark, limits: Mapping[str, LimitSpec], port_ids: Collection[str]) -> None:
    """Have the limits of all ports that are plugged on this host, and no limiter of another."""
    with Shaper(mark) as shaper:
        shaper.limit(limits, port_ids)
        shaper.sweep(port_id for port_id in port_ids if limits.get(port_id, _NONE).egress_kbps)
