"""Looks at all invariants, twice where the first look finds something: what is merely under way is gone by then."""

import time
from collections.abc import Callable, Iterable, Iterator

from cloud.conductor.audit import claims, hosts, operations
from cloud.conductor.audit.findings import Finding

INVARIANTS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "I1": operations.owned,
    "I2": operations.transient,
    "I3": claims.within_capacity,
    "I4": claims.one_owner,
    "I5": hosts.as_booked,
    "I6": hosts.in_one_place,
    "I7": claims.counted,
    "I8": operations.closed,
    "I9": operations.remembered,
    "I10": hosts.gone,
    "I11": operations.single,
}
_LOOKS = 3


def audit(pause_seconds: float = 1.0) -> list[Finding]:
    """Return what breaks an invariant and still does a moment later; nothing for a healthy cloud.

    Args:
        pause_seconds: between two looks.
    """
    found = look()
    for _ in range(_LOOKS - 1):
        if not found:
            break
        time.sleep(pause_seconds)
        found &= look()
    return sorted(found)


def look(numbers: Iterable[str] = INVARIANTS) -> set[Finding]:
    """Return what breaks these invariants at this moment."""
    return {finding for number in numbers for finding in INVARIANTS[number](number)}
