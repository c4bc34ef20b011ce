"""A simulation with the control plane's own claims: schedulers decide side by side, the database has the last word."""

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from contracts.scheduling import HostState, RequestSpec, SelectDestinations
from contracts.simulated import FakeHosts, Round, Settled, Wanted
from scheduler.core.policies import Policy
from scheduler.service.entries import Entry
from scheduler.service.known_hosts import KnownHosts
from scheduler.simulation.machine import Machine
from scheduler.simulation.trace import Arrival, Trace

_DAY_SECONDS = 86_400.0
_PROMISE_SECONDS = 15.0
_ALTERNATES, _ATTEMPTS = 2, 3

Claims = Callable[[FakeHosts | Round], Settled]


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        refusals: claims for a host that had filled up since its scheduler looked.
        again: decisions that had to be made anew, because no alternate had room either.
        refused: servers that found no host.
        seconds: that the claims took, on the clock of the machine.
    """

    placed: int = 0
    refusals: int = 0
    again: int = 0
    refused: int = 0
    overcommitted: int = 0
    seconds: float = 0.0


@dataclass
class _Asked:
    """A server that wants a host."""

    arrival: Arrival
    request: RequestSpec
    attempt: int = 1
    tried: list[str] = field(default_factory=list)


def simulate(
    claims: Claims, trace: Trace, hosts: int, machine: Machine, policy: Policy, seeds: Sequence[int]
) -> Outcome:
    """Replay the trace on hosts of which the claims keep the books, with a scheduler for each seed."""
    run = _Run(claims, machine, policy, seeds)
    run.begin(FakeHosts(count=hosts, vcpus=machine.vcpus, memory_mb=machine.memory_mb, disk_gb=machine.disk_gb))
    return run.replay(trace)


class _Run:
    """The schedulers, each with its own view of the hosts, and a clock: the time of the next arrival."""

    def __init__(self, claims: Claims, machine: Machine, policy: Policy, seeds: Sequence[int]) -> None:
        self._claims = claims
        self._machine = machine
        self._now = 0.0
        self._schedulers = [KnownHosts(_PROMISE_SECONDS, seed, lambda: self._now, policy) for seed in seeds]
        self._leaving: list[tuple[float, str]] = []
        self._outcome = Outcome()

    def begin(self, asked: FakeHosts) -> None:
        """Let there be empty hosts, and let every scheduler know them."""
        self._tell(self._claims(asked).hosts, is_full=True)

    def replay(self, trace: Trace) -> Outcome:
        """Go through the arrivals: as many at a time as there are schedulers, those that must try again first."""
        requests = {name: self._machine.request(one) for name, one in trace.types.items()}
        coming = iter([_Asked(one, requests[one.type_id]) for one in trace.arrivals])
        again: list[_Asked] = []
        while batch := [*again, *itertools.islice(coming, len(self._schedulers) - len(again))]:
            self._now = max(self._now, batch[-1].arrival.start_day * _DAY_SECONDS)
            again = self._round(batch)
        return self._outcome

    def _round(self, batch: Sequence[_Asked]) -> list[_Asked]:
        """Decide side by side, claim one after the other; return who must try again."""
        choices = [self._choose(scheduler, one) for scheduler, one in zip(self._schedulers, batch, strict=False)]
        wanted = [_wanted(one, hosts) for one, hosts in zip(batch, choices, strict=True) if hosts]
        begun = time.perf_counter()
        settled = self._claims(Round(released=self._released(), wanted=wanted))
        self._outcome.seconds += time.perf_counter() - begun
        self._tell(settled.hosts, is_full=False)
        self._outcome.refusals += settled.refusals
        self._outcome.overcommitted += settled.overcommitted
        for one, hosts in zip(batch, choices, strict=True):
            one.tried += hosts
        return [one for one, hosts in zip(batch, choices, strict=True) if self._must_try_again(one, hosts, settled)]

    def _choose(self, scheduler: KnownHosts, one: _Asked) -> list[str]:
        spec = msgspec.structs.replace(one.request, ignore_hosts=one.tried)
        message = SelectDestinations(
            operation_ids=[one.arrival.server], spec=spec, attempt=one.attempt, alternates=_ALTERNATES
        )
        return scheduler.select(message).hosts[0]

    def _must_try_again(self, one: _Asked, hosts: Sequence[str], settled: Settled) -> bool:
        if one.arrival.server in settled.placed:
            self._outcome.placed += 1
            if one.arrival.end_day is not None:
                heapq.heappush(self._leaving, (one.arrival.end_day, one.arrival.server))
            return False
        one.attempt += 1
        if not hosts or one.attempt > _ATTEMPTS:
            self._outcome.refused += 1
            return False
        self._outcome.again += 1
        return True

    def _released(self) -> list[str]:
        gone = []
        while self._leaving and self._leaving[0][0] * _DAY_SECONDS <= self._now:
            gone.append(heapq.heappop(self._leaving)[1])
        return gone

    def _tell(self, states: list[HostState], *, is_full: bool) -> None:
        entry = Entry(is_full=is_full, states=states, names={one.host for one in states})
        for scheduler in self._schedulers:
            scheduler.apply(entry)


def _wanted(one: _Asked, hosts: list[str]) -> Wanted:
    amounts = {name: getattr(one.request, name) for name in ("vcpus", "memory_mb", "disk_gb")}
    return Wanted(consumer=one.arrival.server, hosts=hosts, **amounts)


class Lines(Protocol):
    """A stream of two directions."""

    def write(self, buffer: bytes, /) -> int: ...  # noqa: D102 - as a file's
    def flush(self) -> None: ...  # noqa: D102
    def readline(self) -> bytes: ...  # noqa: D102


@dataclass(frozen=True)
class ClaimsByWire:
    """The claims of the process that started this one."""

    lines: Lines

    def __call__(self, asked: FakeHosts | Round) -> Settled:
        """Ask, and wait for the answer.

        Raises:
            ConnectionError: the other process is gone; what it died of stands on its standard error.
        """
        self.lines.write(msgspec.json.encode(asked) + b"\n")
        self.lines.flush()
        answer = self.lines.readline()
        if not answer:
            raise ConnectionError("the process with the database has ended")
        return msgspec.json.decode(answer, type=Settled)
