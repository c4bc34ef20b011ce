"""How much a host may say, so that one that says too much costs the others nothing.

A healthy host reports a few times a minute and answers what it is ordered; the bounds are far above both. They hold for
each conductor by itself, and are judged before anything reads the database.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cloud.conductor.inbound.words import Word

_LARGE_BYTES = 16_384  # each so many count as a word more
_FORGET_SECONDS = 10.0


@dataclass(frozen=True)
class Bound:
    """Words a second, and how many at once."""

    a_second: float
    at_once: float


REPORTS = Bound(a_second=30, at_once=300)
ANSWERS = Bound(a_second=200, at_once=2_000)
# Beyond the bound: so many within ten seconds are no accident.
TOO_MANY = 2_000


class _Bucket:
    def __init__(self, bound: Bound, now: float) -> None:
        self._bound = bound
        self._left = bound.at_once
        self._at = now

    def take(self, count: float, now: float) -> bool:
        self._left = min(self._bound.at_once, self._left + (now - self._at) * self._bound.a_second)
        self._at = now
        if self._left < count:
            return False
        self._left -= count
        return True


class _Account:
    def __init__(self, now: float) -> None:
        self.buckets = {True: _Bucket(REPORTS, now), False: _Bucket(ANSWERS, now)}
        self.refused = 0
        self.since = now


class Limits:
    """Counts the words of every host. Who is counted has proven its name, so there are no more than hosts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def admits(self, word: Word) -> bool:
        """Tell whether the host may say this as well."""
        now = self._clock()
        account = self._accounts.get(word.host)
        if account is None:
            account = self._accounts[word.host] = _Account(now)
        if account.buckets[word.is_report].take(1 + word.size // _LARGE_BYTES, now):
            return True
        if now - account.since > _FORGET_SECONDS:
            account.refused, account.since = 0, now
        account.refused += 1
        return False

    def is_flooding(self, host: str) -> bool:
        """Tell whether so much was refused of late that it is no accident."""
        account = self._accounts.get(host)
        return account is not None and account.refused >= TOO_MANY
