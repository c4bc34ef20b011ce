"""Orders that a process begins and does not live to end are counted, so that one that kills its agent is given up.

What is counted are processes, not beginnings: while one lives, an order that it was given twice has killed nobody.
"""

from typing import NamedTuple

import msgspec

from compute_agent.errors import Poison
from contracts.compute import REMOVE_RESIDUE
from contracts.envelope import Order

MOST = 3
# From here on such orders are carried out one at a time, so that no other dies with the one that kills.
SUSPECT = 2


# Whoever died before that did not die again and again; the agent may be another since.
REMEMBERED_SECONDS = 3600.0


class Tries(msgspec.Struct):
    """How many processes, the last of them `process` at this time, began an order that none of them ended."""

    operation_id: str
    process: str
    count: int
    at: float


class Beginning(NamedTuple):
    """Who begins an order, and when."""

    process: str
    at: float


def key_of(order: Order) -> str:
    """Return what orders of an instance are told apart by within one operation."""
    return f"{order.NAME}/{order.step}"


def tries_of(order: Order, tries: dict[str, Tries], now: float) -> Tries | None:
    """Return who began an order and did not end it; what removes residue is the same order every time."""
    found = tries.get(key_of(order))
    if found is None or found.at < now - REMEMBERED_SECONDS:
        return None
    is_same = found.operation_id == order.operation_id or order.step == REMOVE_RESIDUE or not order.begun_at
    return found if is_same else None


def is_suspect(order: Order, tries: dict[str, Tries], now: float) -> bool:
    """Tell whether several processes died while they carried the order out, perhaps of another one."""
    before = tries_of(order, tries, now)
    return before is not None and before.count >= SUSPECT


def count_try(order: Order, tries: dict[str, Tries], beginning: Beginning) -> bool:
    """Count that a process begins an order; tell whether it is the first time for this process.

    Raises:
        Poison: too many others began it before and died.
    """
    before = tries_of(order, tries, beginning.at)
    if before and before.process == beginning.process:
        return False
    count = before.count if before else 0
    if count >= MOST:
        raise Poison(f"{count} processes of this agent began the order and died")
    tries[key_of(order)] = Tries(order.operation_id, beginning.process, count + 1, beginning.at)
    return True
