"""Cutting blocks out of prefixes. Pure rules over values."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from cloud.networks.errors import (
    EmptySubnetPoolPrefixList,
    IllegalSubnetPoolPrefixBounds,
    PrefixVersionMismatch,
    UnsupportedMinSubnetPoolPrefix,
)
from cloud.networks.services.blocks import Block

LONGEST = {4: 32, 6: 128}
# The shortest prefixes that a pool cuts where it does not say.
SHORTEST = {4: 8, 6: 64}


def read_prefixes(texts: Sequence[str]) -> list[Block]:
    """Return prefixes sorted and merged where they touch.

    Raises:
        EmptySubnetPoolPrefixList, PrefixVersionMismatch
    """
    blocks: list[Block] = [ipaddress.ip_network(text, strict=False) for text in texts]
    if not blocks:
        raise EmptySubnetPoolPrefixList
    if len({block.version for block in blocks}) > 1:
        raise PrefixVersionMismatch
    return list(ipaddress.collapse_addresses(blocks))  # type: ignore[type-var]  # one version


def check_bounds(version: int, lengths: dict[str, int]) -> None:
    """Refuse lengths that a pool cannot cut.

    Args:
        version: of IP.
        lengths: min_prefixlen, default_prefixlen and max_prefixlen.

    Raises:
        UnsupportedMinSubnetPoolPrefix, IllegalSubnetPoolPrefixBounds
    """
    if not 1 <= lengths["min_prefixlen"] <= LONGEST[version]:
        raise UnsupportedMinSubnetPoolPrefix(prefix=lengths["min_prefixlen"], version=version)
    order = ["min_prefixlen", "default_prefixlen", "max_prefixlen", f"ipv{version}_max_prefixlen"]
    known = {**lengths, order[-1]: LONGEST[version]}
    for first, second in (order[0:2], order[1:3], order[0:3:2], order[2:4]):
        if known[first] > known[second]:
            raise IllegalSubnetPoolPrefixBounds(
                first_kind=first, first=known[first], second_kind=second, second=known[second]
            )


def overlap(ones: Iterable[Block], others: Sequence[Block]) -> bool:
    """Tell whether any two of both overlap; all are of one IP version."""
    return any(one.overlaps(other) for one in ones for other in others)  # type: ignore[arg-type]  # one version


def covers(prefixes: Iterable[Block], block: Block) -> bool:
    """Tell whether a block lies in one of the prefixes; all are of one IP version."""
    return any(block.subnet_of(prefix) for prefix in prefixes)  # type: ignore[arg-type]  # one version


def first_free(prefixes: Iterable[Block], used: Iterable[Block], length: int) -> Block | None:
    """Return the first block of a length that lies in the prefixes and overlaps no used one, or None."""
    taken = sorted((int(block[0]), int(block[-1])) for block in used)
    for prefix in prefixes:
        size = 1 << (prefix.max_prefixlen - length)
        for begin, end in _gaps(int(prefix[0]), int(prefix[-1]), taken):
            start = -(-begin // size) * size
            if start + size - 1 <= end:
                return ipaddress.ip_network((type(prefix[0])(start), length))
    return None


def _gaps(begin: int, end: int, taken: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what is left between two numbers, both included."""
    for first, last in chain(taken, [(end + 1, end + 1)]):
        if last < begin:
            continue
        if begin < first:
            yield begin, min(first - 1, end)
        begin = last + 1
        if begin > end:
            return
