"""An agent that no longer hears its own echo through its queue restarts itself.

A consumer can go deaf while its process lives and Redis answers: no heartbeat from the same process would tell. So
the agent sends itself a message and ends the process when none comes back; the supervisor starts a new one.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

EXIT_CODE = 70  # EX_SOFTWARE


def exit_now() -> None:
    """End the process at once: a deaf agent has nothing to tidy up that its locks and fences do not cover."""
    os._exit(EXIT_CODE)


@dataclass(frozen=True)
class Line:
    """What the watchdog listens on.

    Attributes:
        call: send an echo to the own queue; may raise.
        is_broker_up: whether Redis answers.
        is_busy: whether all threads are at work, so that no echo can be expected.
        give_up: what to do when deaf.
    """

    call: Callable[[], None]
    is_broker_up: Callable[[], bool]
    is_busy: Callable[[], bool]
    give_up: Callable[[], None] = exit_now


class Watchdog:
    """Calls every `every_seconds` and gives up after `limit_seconds` of silence that only deafness explains."""

    def __init__(self, line: Line, every_seconds: float, limit_seconds: float) -> None:
        self._line = line
        self._every_seconds = every_seconds
        self._limit_seconds = limit_seconds
        self._heard_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch, once the worker listens."""
        self._heard_at = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def hear(self) -> None:
        """An echo, or any order, arrived."""
        self._heard_at = time.monotonic()

    def check(self) -> None:
        """Call once, and give up if nothing was heard for too long."""
        try:
            is_up = self._line.is_broker_up()
            if is_up:
                self._line.call()
        except Exception as exc:  # noqa: BLE001 - whatever a lost broker raises, it means that it is down
            log.warning("the broker does not take the echo: %s", exc)
            is_up = False
        if not is_up or self._line.is_busy():
            self.hear()  # the silence has another reason; count anew from here
        elif time.monotonic() - self._heard_at > self._limit_seconds:
            log.critical("no echo for %.0f s though the broker answers; restarting", self._limit_seconds)
            self._line.give_up()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_seconds):
            self.check()
