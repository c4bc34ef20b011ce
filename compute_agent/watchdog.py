"""An agent that no longer hears its own echo through its queue restarts itself.

A consumer can go deaf while its process lives and Redis answers: no heartbeat from the same process would tell. So
the agent sends itself a message and ends the process when none comes back; the supervisor starts a new one. It does
the same when its threads hang on orders that should have ended.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

EXIT_CODE = 70  # EX_SOFTWARE
# Looking more often than calling finds the silence sooner: deaf agents shall be gone after three calls.
_LOOKS_PER_CALL = 3
# A look that comes so much later than planned means that the whole process stood still, and the echo with it.
_STOOD_STILL = 3.0


def exit_now() -> None:
    """End the process at once: a deaf agent has nothing to tidy up that its locks and fences do not cover."""
    os._exit(EXIT_CODE)


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Line:
    """What the watchdog listens on.

    Attributes:
        call: send an echo to the own queue; may raise, and may hang without harm.
        is_broker_up: whether Redis answers.
        is_busy: whether all threads are at work, so that no echo can be expected.
        is_stuck: whether so many threads hang that only a new process brings them back.
        give_up: what to do when deaf or stuck.
    """

    call: Callable[[], None]
    is_broker_up: Callable[[], bool]
    is_busy: Callable[[], bool] = _never
    is_stuck: Callable[[], bool] = _never
    give_up: Callable[[], None] = exit_now


class Watchdog:
    """Calls every `every_seconds` and gives up after `limit_seconds` of silence that only deafness explains."""

    def __init__(self, line: Line, every_seconds: float, limit_seconds: float) -> None:
        self._line = line
        self._every_seconds = every_seconds
        self._limit_seconds = limit_seconds
        self._heard_at = time.monotonic()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("watchdog", self._watch), ("echo", self._call))
        ]

    def start(self) -> None:
        """Begin to watch, once the worker listens."""
        self.hear()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def hear(self) -> None:
        """An echo, or any order, arrived."""
        self._heard_at = time.monotonic()

    def look(self) -> None:
        """Give up if nothing was heard for too long, or if nothing will ever be."""
        if self._line.is_stuck():
            log.critical("too many orders should have ended long ago; restarting")
            self._line.give_up()
        elif not self._is_up() or self._line.is_busy():
            self.hear()  # the silence has another reason; count anew from here
        elif time.monotonic() - self._heard_at > self._limit_seconds:
            log.critical("no echo for %.0f s though the broker answers; restarting", self._limit_seconds)
            self._line.give_up()

    def _is_up(self) -> bool:
        try:
            return self._line.is_broker_up()
        except Exception as exc:  # noqa: BLE001 - whatever a lost broker raises, it means that it is down
            log.warning("the broker does not answer: %s", exc)
            return False

    def _watch(self) -> None:
        pause = self._every_seconds / _LOOKS_PER_CALL
        while True:
            begun = time.monotonic()
            if self._stopped.wait(pause):
                return
            if time.monotonic() - begun > _STOOD_STILL * pause:
                self.hear()
            self.look()

    def _call(self) -> None:
        """Call in a thread of its own: one that hangs in a dead connection must not keep the other from noticing."""
        while not self._stopped.is_set():
            try:
                self._line.call()
            except Exception as exc:  # noqa: BLE001 - the other thread finds out what it means
                log.warning("the broker does not take the echo: %s", exc)
            self._stopped.wait(self._every_seconds)
