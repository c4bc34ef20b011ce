"""Faults on demand for the fake hypervisor: which verb fails or dawdles, for which instance, how often."""

import json
import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compute_agent.errors import AgentError, DriverError

ANY = "*"
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Attributes:
        verb: a driver's verb, e.g. `start` or the network's `plug`, or `*`.
        uuid: an instance, or `*`.
        error: text of the error to raise; empty raises nothing.
        delay_seconds: how long the verb takes before that; no longer than until the file of the plan changes.
        times: how often it happens; -1 for ever.
    """

    verb: str = ANY
    uuid: str = ANY
    error: str = ""
    delay_seconds: float = 0.0
    times: int = -1

    def matches(self, verb: str, uuid: str) -> bool:
        """Whether this call is one that the fault is for."""
        return self.times != 0 and self.verb in (ANY, verb) and self.uuid in (ANY, uuid)


class FaultPlan:
    """The faults of one fake host: given by code, or read from a JSON file whenever that changes.

    The file holds a list of objects with Fault's fields; it lets a running agent be troubled from outside. What dawdles
    because of it goes on at once when the file changes, so that nobody need guess how long he wants something to take.
    """

    def __init__(self, *faults: Fault, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._faults = list(faults)
        self._path = path
        self._read_at = 0.0

    def add(self, fault: Fault) -> None:
        """Let this go wrong from now on."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._faults.clear()

    def strike(self, verb: str, uuid: str, error: type[AgentError] = DriverError) -> None:
        """Suffer what is planned for this call: nothing, a delay, or an `error`."""
        fault = self._take(verb, uuid)
        if fault is None:
            return
        self._dawdle(fault.delay_seconds)
        if fault.error:
            raise error(f"{verb}: {fault.error}")

    def _dawdle(self, seconds: float) -> None:
        plan, end = self._read_at, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._changed_at() == plan:
            time.sleep(left if self._path is None else min(left, _POLL_SECONDS))

    def _take(self, verb: str, uuid: str) -> Fault | None:
        with self._lock:
            self._reread()
            for index, fault in enumerate(self._faults):
                if fault.matches(verb, uuid):
                    self._faults[index] = replace(fault, times=max(fault.times - 1, -1))
                    return fault
            return None

    def _reread(self) -> None:
        if self._path is None or self._changed_at() == self._read_at:
            return
        rows: list[dict[str, Any]] = []
        try:
            with self._path.open() as stream:
                self._read_at = os.fstat(stream.fileno()).st_mtime  # of this file, though another may take its place
                rows = json.load(stream)
        except FileNotFoundError:
            self._read_at = 0.0
        self._faults = [Fault(**row) for row in rows]

    def _changed_at(self) -> float:
        """When the file changed last; 0 for none."""
        try:
            return self._path.stat().st_mtime if self._path else 0.0
        except FileNotFoundError:
            return 0.0
