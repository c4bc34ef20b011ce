"""The control plane's time on a host whose own clock may be wrong.

Orders carry `not_after` on the control plane's clock. A host that compared it with a clock ten minutes off would
refuse everything or carry out what is late. So it reads the broker's clock, at the start and with every echo, and
counts on from there with a clock that nobody sets.
"""

import logging
import threading
import time
from collections.abc import Callable

from redis.exceptions import ResponseError

log = logging.getLogger(__name__)

# An answer that took longer says little of the time at which it was given.
_LONGEST_ROUND_SECONDS = 1.0
_TRY_AGAIN_SECONDS = 5.0
_WORTH_A_WARNING_SECONDS = 5.0
_STAMP_STEP_SECONDS = 0.001


def steady() -> float:
    """Seconds that go on in suspended machines and stopped processes alike, and that no one can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class BrokerClock:
    """The broker's clock, read now and then. Safe for use from several threads.

    Until it could be read the host's own clock has to do, with a warning.

    Args:
        read: returns the broker's time in seconds since the epoch, or raises.
        wall: the host's own clock.
        count: seconds that pass, whatever the host's clock is set to.
    """

    def __init__(
        self, read: Callable[[], float], wall: Callable[[], float] = time.time, count: Callable[[], float] = steady
    ) -> None:
        self._read, self._wall, self._count = read, wall, count
        self._lock = threading.Lock()
        self._ahead: float | None = None  # of `count`
        self._tried_at = float("-inf")
        self._stamped = 0.0
        self._is_warned = False

    def measure(self) -> None:
        """Compare with the broker's clock. Raises what a lost broker raises, but not for one that keeps it secret."""
        begun = self._tried_at = self._count()
        try:
            told = self._read()
        except ResponseError as exc:
            self._warn(f"the broker does not tell its time ({exc})")
            return
        took = self._count() - begun
        with self._lock:
            if took > _LONGEST_ROUND_SECONDS and self._ahead is not None:
                return
            self._ahead = told - (begun + took / 2)
        self._mind(self.offset_seconds())

    def now(self) -> float:
        """Return the control plane's time, as well as it is known."""
        if self._ahead is None and self._count() - self._tried_at > _TRY_AGAIN_SECONDS:
            self._try_to_measure()
        return self._wall() if self._ahead is None else self._count() + self._ahead

    def stamp(self) -> float:
        """Return the same, but later than at any call before: what reports are put in order by."""
        now = self.now()
        with self._lock:
            self._stamped = max(now, self._stamped + _STAMP_STEP_SECONDS)
            return self._stamped

    def offset_seconds(self) -> float:
        """Return how far the host's own clock is ahead; 0 while nobody knows."""
        return 0.0 if self._ahead is None else self._wall() - (self._count() + self._ahead)

    def _try_to_measure(self) -> None:
        try:
            self.measure()
        except Exception as exc:  # noqa: BLE001 - whatever a lost broker raises
            self._warn(f"the broker's clock cannot be read ({exc})")

    def _warn(self, why: str) -> None:
        if not self._is_warned:
            log.warning("%s: deadlines are judged by this host's own clock", why)
        self._is_warned = True

    def _mind(self, offset: float) -> None:
        is_off = abs(offset) > _WORTH_A_WARNING_SECONDS
        if is_off and not self._is_warned:
            log.warning("this host's clock is %+.1f s off; deadlines are judged by the broker's", offset)
        self._is_warned = is_off
