"""The virtual clock: minutes pass in no time, and every process of the simulation lives by it."""

import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

import kombu.utils.functional
from celery import Celery
from django.utils import timezone

EPOCH = 1_790_000_000.0


class Clock:
    """Seconds since the epoch, moved by hand, and what happens when it comes to be a time."""

    def __init__(self) -> None:
        self.now = EPOCH
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        # Set by whoever lets threads wait for a time; see errands.
        self.park: Callable[[float], bool] = lambda until: False

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let a thread of an agent wait its turn; whoever else sleeps moves the clock on."""
        if seconds > 0 and not self.park(self.now + seconds):
            self.now += seconds

    def at(self, when: float, job: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (when, next(self._numbers), job))

    def after(self, seconds: float, job: Callable[[], None]) -> None:
        self.at(self.now + seconds, job)

    def every(self, seconds: float, job: Callable[[], None]) -> None:
        def run() -> None:
            self.after(seconds, run)
            job()

        self.after(seconds, run)

    def run_due(self) -> bool:
        """Run what is due; tell whether anything was."""
        is_any = False
        while self._timers and self._timers[0][0] <= self.now:
            _, _, job = heapq.heappop(self._timers)
            job()
            is_any = True
        return is_any

    def leap(self, most_seconds: float = float("inf")) -> None:
        """Move on to the next moment at which something is due, but not further than this."""
        latest = self.now + most_seconds
        self.now = max(self.now, min(self._timers[0][0], latest) if self._timers else latest)

    def install(self) -> None:
        """Become the clock of this process, for good."""
        time.time = self.time
        time.monotonic = self.time
        time.sleep = self.sleep
        kombu.utils.functional.sleep = self.sleep
        timezone.now = lambda: datetime.fromtimestamp(self.now, UTC)
        Celery.now = lambda app: datetime.fromtimestamp(self.now, UTC)
