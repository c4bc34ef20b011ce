"""What several threads ask for at the same moment, done in one go: one transaction serves all who wait for the next.

Whoever comes alone is served alone and at once; the more there is to do, the larger the groups become.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

What = TypeVar("What")


@dataclass(eq=False)
class _Asked(Generic[What]):
    what: What
    is_done: bool = False
    error: Exception | None = None


class Together(Generic[What]):
    """A function of many things, called with one each by many threads.

    Args:
        do: carries out a group, all of it or nothing. If it raises for several, each of them is tried alone, so that
            nobody fails for what another asked.
        most: how many are in a group at the most.
    """

    def __init__(self, do: Callable[[Sequence[What]], None], most: int = 64) -> None:
        self._do = do
        self._most = most
        self._turn = threading.Lock()
        self._waiting: deque[_Asked[What]] = deque()

    def __call__(self, what: What) -> None:
        """Return when it is done, by this thread or by another.

        Raises:
            whatever `do` raised for it.
        """
        asked = _Asked(what)
        self._waiting.append(asked)
        with self._turn:
            try:
                # Whoever had the turn before may have taken it along.
                while not asked.is_done:
                    self._serve()
            finally:
                if not asked.is_done:
                    self._waiting.remove(asked)
        if asked.error is not None:
            raise asked.error

    def _serve(self) -> None:
        """Carry out the oldest of those that wait."""
        group = list(self._waiting)[: self._most]
        try:
            self._do([one.what for one in group])
        except Exception as error:  # noqa: BLE001 - handed to the thread that asked
            if len(group) == 1:
                group[0].error = error
            else:
                self._serve_alone(group)
        for one in group:
            one.is_done = True
            self._waiting.remove(one)

    def _serve_alone(self, group: Sequence[_Asked[What]]) -> None:
        for one in group:
            try:
                self._do([one.what])
            except Exception as error:  # noqa: BLE001 - handed to the thread that asked
                one.error = error
