"""Whether the control plane may have given this host up, having heard nothing of it for too long.

A host that says nothing for a minute counts as down: what it was to build, others build. An order of before that is
still in its queue when it can be heard again, and the order that takes it back stands behind. To begin it would make a
second copy of a server that runs elsewhere. So whatever was sent before a long silence ended is refused. A machine that
lost its power may have been given up sooner, by a person's word: there every order of before but to destroy is void.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from compute_agent.errors import OrderRefused
from compute_agent.files import replace_file
from contracts.compute import COMMANDS, DestroyServer
from contracts.envelope import Order

log = logging.getLogger(__name__)

# Less than the minute of the control plane, by more than a report takes to arrive.
LONGEST_SECONDS = 45.0
_SAVE_SECONDS = 1.0


class _Spoken(msgspec.Struct):
    """Since when the control plane heard of us without a long pause, and when it did last; 0 is never.

    `boot` names the machine's current run, which began no later than `booted_at`; 0 for the first that was noted.
    """

    since: float = 0.0
    at: float = 0.0
    boot: str = ""
    booted_at: float = 0.0


def _sent_at(order: Order) -> float:
    return order.not_after - COMMANDS[order.NAME].timing.deadline_seconds


class Silence:
    """How long nothing was heard of the hosts of a process; it outlives the process where it has a file.

    Args:
        path: the file; None forgets it with the process.
        clock: the control plane's time.
        boot: a name of the machine's current run.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time, boot: str = "") -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._spoken = self._load()
        self._saved_at = 0.0
        self.note_boot(boot)

    def note_boot(self, boot: str) -> None:
        """Note which run of the machine this is: a new one voids what was sent before."""
        with self._lock:
            if boot == self._spoken.boot:
                return
            if self._spoken.boot:
                log.warning("the machine was started anew: orders of before are refused")
                self._spoken.booted_at = self._clock()
            self._spoken.boot = boot
            self._save()

    def end(self) -> None:
        """A report was taken by the broker."""
        now = self._clock()
        with self._lock:
            if self._is_long(now):
                log.warning("silent for %.0f s: orders of before are refused", now - self._spoken.at)
                self._spoken.since = now
            self._spoken.at = now
            if now - self._saved_at >= _SAVE_SECONDS:
                self._save()
                self._saved_at = now

    @property
    def is_long(self) -> bool:
        """Whether the control plane may soon give the host up, or has done so."""
        with self._lock:
            return self._is_long(self._clock())

    def check(self, order: Order) -> None:
        """Refuse an order that may have been given to another host meanwhile.

        Raises:
            OrderRefused
        """
        with self._lock:
            if self._is_long(self._clock()) or _sent_at(order) < self._spoken.since:
                raise OrderRefused("the order was sent before the host was silent for so long that it counted as down")

    def check_boot(self, order: Order) -> None:
        """Refuse an order of before the machine's start: its server may have been evacuated since.

        Raises:
            OrderRefused
        """
        if 0 < self._spoken.booted_at > _sent_at(order) and order.NAME != DestroyServer.NAME:
            raise OrderRefused("the order was sent before the machine was started")

    def _is_long(self, now: float) -> bool:
        return 0 < self._spoken.at < now - LONGEST_SECONDS

    def _load(self) -> _Spoken:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Spoken) if self._path else _Spoken()
        except (OSError, msgspec.DecodeError):
            return _Spoken()

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, msgspec.json.encode(self._spoken))
        except OSError as exc:
            log.warning("%s cannot be written: %s", self._path, exc)
