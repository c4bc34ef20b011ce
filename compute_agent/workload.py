"""What an agent is at: how many orders, and whether any of them has outlived its time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Workload:
    """The orders in work.

    Args:
        count: seconds that pass.
    """

    def __init__(self, count: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._ends: dict[object, float] = {}

    @property
    def count(self) -> int:
        """The number of orders in work."""
        return len(self._ends)

    @property
    def overdue(self) -> int:
        """How many of them should have ended: whoever carries them out is stuck."""
        now = self._count()
        with self._lock:
            return sum(end < now for end in self._ends.values())

    @contextmanager
    def one_more(self, seconds: float) -> Iterator[None]:
        """Count an order while it is in work; it must not take longer than `seconds`."""
        ticket = object()
        with self._lock:
            self._ends[ticket] = self._count() + seconds
        try:
            yield
        finally:
            with self._lock:
                del self._ends[ticket]
