"""Long lists take turns: what eight threads make at once takes eight times the memory, and no less time.

A thousand servers with all that is known of them are ten megabytes on their way to JSON. The interpreter lets one
thread at a time make them anyway, and the memory that was in use once is given back only in part (ADR 154).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONG = 200
# Two, so that one is made while the other waits for the database.
_AT_ONCE = 2


class Turns:
    """How many long lists a process makes at once. Short ones wait for nobody."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._free = threading.Semaphore(at_once)

    @contextmanager
    def turn(self, is_long: Callable[[], bool]) -> Iterator[None]:
        """Make a list within the context.

        Args:
            is_long: whether it has more than `LONG` rows; asked only where somebody would have to wait.
        """
        has_turn = self._free.acquire(blocking=False)
        if not has_turn and is_long():
            has_turn = self._free.acquire()
        try:
            yield
        finally:
            if has_turn:
                self._free.release()


turns = Turns()
