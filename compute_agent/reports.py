"""When a host reports what: one thread and one timetable for all hosts of the process.

Heartbeat and inventory, all power states, and what lies on the host are each whole and of constant meaning, so a lost
report does no harm. Power states that changed are gathered for up to a second and sent in one message.
"""

import heapq
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from compute_agent.drivers.base import PowerState
from compute_agent.host import Host
from compute_agent.observations import changed_power_report, full_power_report, host_report, residue
from compute_agent.settings import Settings
from contracts.conductor import HostReport, PowerReport, Residue

log = logging.getLogger(__name__)

Report = HostReport | PowerReport | Residue
Publish = Callable[[Report], None]
Make = Callable[[], Iterable[Report]]

_JITTER = 0.1
_GATHER_SECONDS = 1.0
# A report that took so long to leave waited for a dead wire: what changed meanwhile may have been lost.
_LONG_SECONDS = 5.0
_FIRST_SPREAD_SECONDS = 1.0


@dataclass(order=True)
class _Entry:
    """A row of the timetable: when, how often, what; `is_urgent`: at once when the broker was away."""

    due_at: float
    every_seconds: float = field(compare=False)
    host: str = field(compare=False)
    make: Make = field(compare=False)
    is_urgent: bool = field(compare=False, default=False)


class Reporter:
    """Sends the reports of some hosts until stopped.

    Args:
        hosts: whom to watch.
        settings: for the intervals and the hosts' address.
        publish: sends a report, or raises. A report that could not be sent is not sent later: the next one that can
            be is followed by full ones, which make up for all that were lost.
    """

    def __init__(self, hosts: Iterable[Host], settings: Settings, publish: Publish) -> None:
        self._settings = settings
        self._publish = publish
        self._hosts = {host.name: host for host in hosts}
        self._changed = threading.Condition()
        self._changes: dict[str, dict[str, PowerState]] = {}
        self._flush_at = 0.0
        self._is_stopped = False
        self._is_cut_off = False
        self._timetable: list[_Entry] = []
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        for host in self._hosts.values():
            self._plan(host, host.stamp())

    def start(self) -> None:
        """Begin to report, with a report of each host at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is gathered is sent."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def note(self, host: str, uuid: str, state: PowerState) -> None:
        """Take note of a changed power state."""
        with self._changed:
            if not self._changes:
                self._flush_at = time.monotonic() + _GATHER_SECONDS
            self._changes.setdefault(host, {})[uuid] = state
            self._changed.notify()

    def _plan(self, host: Host, started_at: float) -> None:
        def changed(uuid: str, state: PowerState) -> None:
            self.note(host.name, uuid, state)

        host.driver.subscribe(changed)
        soon = time.monotonic() + random.uniform(0, _FIRST_SPREAD_SECONDS) * (len(self._timetable) > 0)  # noqa: S311
        often, seldom = self._settings.report_seconds, self._settings.full_report_seconds
        later = soon + random.uniform(0, seldom / 2)  # noqa: S311 - spreads load, keeps no secret
        rows = (
            _Entry(soon, often, host.name, lambda: [host_report(host, self._settings.host_ip, started_at)], True),
            _Entry(soon, seldom, host.name, lambda: full_power_report(host), True),
            _Entry(later, seldom, host.name, lambda: [residue(host)]),
        )
        for row in rows:
            heapq.heappush(self._timetable, row)

    def _run(self) -> None:
        while self._wait():
            self._send_changes()
            self._send_due()
        self._send_changes(at_once=True)

    def _wait(self) -> bool:
        """Wait until something is due; return False when it is time to end."""
        with self._changed:
            while not self._is_stopped:
                wait_seconds = self._next_due() - time.monotonic()
                if wait_seconds <= 0:
                    return True
                self._changed.wait(wait_seconds)
            return False

    def _next_due(self) -> float:
        due_at = self._timetable[0].due_at if self._timetable else time.monotonic() + 3600
        return min(due_at, self._flush_at) if self._changes else due_at

    def _send_changes(self, *, at_once: bool = False) -> None:
        with self._changed:
            if not at_once and time.monotonic() < self._flush_at:
                return
            changes, self._changes = self._changes, {}
        for name, states in changes.items():
            self._send(name, partial(changed_power_report, self._hosts[name], states))

    def _send_due(self) -> None:
        while self._timetable and self._timetable[0].due_at <= time.monotonic():
            entry = heapq.heappop(self._timetable)
            self._send(entry.host, entry.make)
            entry.due_at = time.monotonic() + _about(entry.every_seconds)
            heapq.heappush(self._timetable, entry)

    def _hurry(self) -> None:
        """Have every host tell everything now: what changed while nobody heard it was lost."""
        log.info("the broker takes reports again")
        now = time.monotonic()
        spread = _FIRST_SPREAD_SECONDS * (len(self._hosts) > 1)
        for entry in self._timetable:
            if entry.is_urgent:
                entry.due_at = now + random.uniform(0, spread)  # noqa: S311 - spreads load, keeps no secret
        heapq.heapify(self._timetable)

    def _send(self, host: str, make: Make) -> None:
        try:
            reports = list(make())
        except Exception as exc:  # noqa: BLE001 - whatever a host suffers, the others go on reporting
            log.warning("host=%s cannot be observed: %s: %s", host, type(exc).__name__, exc)
            return
        begun = time.monotonic()
        try:
            for report in reports:
                self._publish(report)
        except Exception as exc:  # noqa: BLE001 - Redis away: the next report is due soon
            self._is_cut_off = True
            log.warning("host=%s report not sent: %s: %s", host, type(exc).__name__, exc)
            return
        self._hosts[host].silence.end()
        if self._is_cut_off or time.monotonic() - begun > _LONG_SECONDS:
            self._is_cut_off = False
            self._hurry()


def _about(seconds: float) -> float:
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load, keeps no secret
