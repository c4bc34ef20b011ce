"""Reconcilers take turns: of all messages that wake one within its period, from however many beats, one does the work.

The lease of a turn is not given back: it ends a little before the period does.
"""

import functools
from collections.abc import Callable

from cloud.conductor.schedule import PERIODS
from cloud.core import leases

# Messages that are due at the same distance arrive a little closer together, now and then.
_SHARE = 0.8


def one_at_a_time(task: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Let the function run once in the task's period, whoever calls it wherever."""

    def decorate(work: Callable[[], None]) -> Callable[[], None]:
        @functools.wraps(work)
        def run() -> None:
            if leases.take(task, leases.new_holder(), PERIODS[task] * _SHARE):
                work()

        return run

    return decorate
