"""Hosts' reports that say something new: gathered for a moment, and written for all hosts together beside the tasks.

So a thousand hosts that start at once are a few transactions, and what the workers' tasks have to do, builds above all,
does not wait behind them. What a conductor gathered and did not write when it died is said again ten seconds later.
"""

import logging
import threading
from collections import Counter, deque
from datetime import UTC, datetime

import msgspec
from django.db import close_old_connections
from django.utils import timezone

from cloud.compute.services import host_reports
from cloud.conductor.inbound.words import Word
from cloud.core.clock import DATABASE_AWAY
from contracts.conductor import HostReport

_log = logging.getLogger(__name__)
_AT_ONCE = 500
# One that comes alone is written at once; what comes within this time after it is written together.
_GATHER_SECONDS = 0.2
# A database that is away: each host will say it anew. Two of each of ten thousand hosts fit.
_MOST = 20_000


class Reports:
    """What waits to be written. Safe for threads."""

    def __init__(self) -> None:
        self._waiting: deque[HostReport] = deque()
        self._unwritten: Counter[str] = Counter()
        self._condition = threading.Condition()

    def take(self, word: Word) -> bool:
        """Take a host's report of itself; False for any other word, and for one that the task shall judge."""
        if word.task != HostReport.NAME or _has_expired(word):
            return False
        try:
            report = HostReport.from_wire(word.wire)
        except msgspec.ValidationError:
            return False
        # Whether it says nothing new is not known as long as what the host said before waits.
        if self._unwritten[report.host] or not host_reports.hear(report):
            self._add(report)
        return True

    def _add(self, report: HostReport) -> None:
        with self._condition:
            if len(self._waiting) < _MOST:
                self._waiting.append(report)
                self._unwritten[report.host] += 1
                self._condition.notify()

    def run(self, stopping: threading.Event) -> None:
        """Write what comes until the end."""
        while not stopping.is_set():
            with self._condition:
                has_come = self._condition.wait_for(lambda: bool(self._waiting), timeout=1.0)
            if has_come:
                close_old_connections()
                self.write()
                stopping.wait(_GATHER_SECONDS)
        self.write()

    def write(self) -> None:
        """Write what was gathered, some hundred hosts at a time."""
        while batch := self._next():
            try:
                host_reports.report_hosts(batch)
            except DATABASE_AWAY as error:
                _lose(len(batch), error)
                return
            except Exception:  # noqa: BLE001 - one of them says what cannot be kept, and no other shall suffer for it
                _write_each(batch)
            finally:
                with self._condition:
                    self._unwritten -= Counter(report.host for report in batch)

    def _next(self) -> list[HostReport]:
        """Return reports to write together: one of each host, in the order in which it said them."""
        found: dict[str, HostReport] = {}
        with self._condition:
            while self._waiting and len(found) < _AT_ONCE and self._waiting[0].host not in found:
                report = self._waiting.popleft()
                found[report.host] = report
        return list(found.values())


def _has_expired(word: Word) -> bool:
    """Tell whether it lay in the queue too long to be heard; the worker revokes the task that it becomes."""
    if not word.expires:
        return False
    until = datetime.fromisoformat(word.expires)
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) <= timezone.now()


def _lose(count: int, error: Exception) -> None:
    _log.warning("what %d hosts reported is lost until they say it again: %s", count, error)


def _write_each(batch: list[HostReport]) -> None:
    for number, report in enumerate(batch):
        try:
            host_reports.report_host(report)
        except DATABASE_AWAY as error:
            _lose(len(batch) - number, error)
            return
        except Exception:  # noqa: BLE001 - whatever it is, the next host is heard
            _log.exception("what host %s reports cannot be written", report.host)


reports = Reports()
