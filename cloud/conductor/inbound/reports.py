"""What hosts say of their own accord: gathered for a moment, and written for all hosts together beside the tasks.

So a thousand hosts that start at once are a few transactions, and what the workers' tasks have to do, builds above all,
does not wait behind them. What a conductor gathered and did not write when it died is said again: what a host has ten
seconds later, the power states of its guests and what lies there a minute later.
"""

import logging
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import close_old_connections
from django.utils import timezone

from cloud.compute.services import host_reports
from cloud.conductor.inbound.kinds import KINDS
from cloud.conductor.inbound.words import Word
from cloud.core.clock import DATABASE_AWAY
from contracts.conductor import HostReport

_log = logging.getLogger(__name__)
_AT_ONCE = 500
# One that comes alone is written at once; what comes within this time after it is written together.
_GATHER_SECONDS = 0.2
# So long waits what nobody waits for, if nothing urgent comes: a cloud at rest writes once a second.
_CALM_SECONDS = 1.0
# A database that is away: each host will say it anew. Four of each of ten thousand hosts fit.
_MOST = 40_000
_RANKS = {kind.message.NAME: rank for rank, kind in enumerate(KINDS)}  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Said:
    """A report, and the place of its kind in the table."""

    rank: int
    host: str
    report: Any


class Reports:
    """What waits to be written. Safe for threads."""

    def __init__(self) -> None:
        self._waiting: deque[_Said] = deque()
        self._is_urgent = False
        self._unwritten: Counter[str] = Counter()
        self._condition = threading.Condition()

    def take(self, word: Word) -> bool:
        """Take what a host says of its own accord; False for any other word, and for one that the task shall judge."""
        rank = _RANKS.get(word.task)
        if rank is None or _has_expired(word):
            return False
        try:
            report: Any = KINDS[rank].message.from_wire(word.wire)
        except msgspec.ValidationError:
            return False
        if not self._is_heartbeat(report):
            self._add(_Said(rank, word.host, report))
        return True

    def _is_heartbeat(self, report: Any) -> bool:
        # Whether it says nothing new is not known as long as what the host said before waits.
        return isinstance(report, HostReport) and not self._unwritten[report.host] and host_reports.hear(report)

    def _add(self, said: _Said) -> None:
        is_urgent = KINDS[said.rank].is_urgent(said.report)
        with self._condition:
            if len(self._waiting) >= _MOST:
                return
            self._waiting.append(said)
            self._unwritten[said.host] += isinstance(said.report, HostReport)
            self._is_urgent |= is_urgent
            self._condition.notify()

    def run(self, stopping: threading.Event) -> None:
        """Write what comes until the end."""
        calm_until = 0.0
        while not stopping.is_set():
            if self._wait(calm_until):
                calm_until = time.monotonic() + _CALM_SECONDS
                close_old_connections()
                self.write()
                stopping.wait(_GATHER_SECONDS)
        self.write()

    def _wait(self, calm_until: float) -> bool:
        """Wait until there is something to write; what is not urgent waits until then."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_urgent, timeout=max(0.0, calm_until - time.monotonic()))
            return self._condition.wait_for(lambda: bool(self._waiting), timeout=1.0)

    def write(self) -> None:
        """Write what was gathered, some hundred words at a time."""
        self._is_urgent = False
        while batch := self._next():
            try:
                _write(batch)
            except DATABASE_AWAY as error:
                _log.warning("%d reports of hosts are lost until they are said again: %s", len(batch), error)
                return
            finally:
                with self._condition:
                    self._unwritten -= Counter(one.host for one in batch if isinstance(one.report, HostReport))

    def _next(self) -> list[_Said]:
        """Return words to write together, in the order of the table: of each host in the order in which it said them.

        A word that would be written before an earlier one of its host waits for the next batch, with all that follow.
        """
        batch: list[_Said] = []
        put_off: list[_Said] = []
        last: dict[str, int] = {}
        with self._condition:
            while self._waiting and max(len(batch), len(put_off)) < _AT_ONCE:
                one = self._waiting.popleft()
                is_next = last.get(one.host, -1) < one.rank
                (batch if is_next else put_off).append(one)
                last[one.host] = one.rank if is_next else len(KINDS)
            self._waiting.extendleft(reversed(put_off))
        return batch


def _has_expired(word: Word) -> bool:
    """Tell whether it lay in the queue too long to be heard; the worker revokes the task that it becomes."""
    if not word.expires:
        return False
    until = datetime.fromisoformat(word.expires)
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) <= timezone.now()


def _write(batch: list[_Said]) -> None:
    for rank, kind in enumerate(KINDS):
        reports = [one.report for one in batch if one.rank == rank]
        if not reports:
            continue
        try:
            kind.write(reports)
        except DATABASE_AWAY:
            raise
        except Exception:  # noqa: BLE001 - one of them says what cannot be kept, and no other shall suffer for it
            _log.warning("%d reports of hosts cannot be written together", len(reports), exc_info=True)
            _write_each(rank, reports)


def _write_each(rank: int, reports: list[Any]) -> None:
    for report in reports:
        try:
            KINDS[rank].write([report])
        except DATABASE_AWAY:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the next host is heard
            _log.exception("what host %s reports cannot be written", report.host)


reports = Reports()
