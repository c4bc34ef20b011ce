"""One simulation: a trace on a virtual clock, every request decided by the scheduler's own pipeline."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

import numpy as np

from contracts.scheduling import HostState, RequestSpec
from scheduler.core.policies import Policy
from scheduler.simulation.consolidation import Consolidation, Consolidator
from scheduler.simulation.figures import Count, Figures, Sample, Watch, summary
from scheduler.simulation.machine import Machine
from scheduler.simulation.placed import PlacedServers
from scheduler.simulation.trace import Trace

_SAMPLES = 100
_IN_A_ROW = 100

Appointment = tuple[float, Callable[[float], None]]


def simulate(
    hosts: Sequence[HostState],
    trace: Trace,
    machine: Machine,
    policy: Policy,
    seed: int,
    consolidation: Consolidation | None = None,
) -> Figures:
    """Replay the trace on the hosts and return what came of it; the same arguments give the same figures.

    What comes before the trace's day 0 is what the trace begins with; the hosts are looked at from then on.

    Raises:
        ValueError: there are no hosts.
    """
    if not hosts:
        raise ValueError("there are no hosts to simulate")
    return _Run(hosts, trace, machine, policy, seed).figures(consolidation)


class _Run:
    """The servers on the hosts and the clock, which is the time of the next event."""

    def __init__(self, hosts: Sequence[HostState], trace: Trace, machine: Machine, policy: Policy, seed: int) -> None:
        self._servers = PlacedServers(hosts, np.random.default_rng(seed))
        self._arrivals = trace.arrivals
        self._requests = {name: machine.request(one) for name, one in trace.types.items()}
        self._watch = Watch(machine.ratios.vcpu, list(self._requests.values()))
        self._policy = policy
        self._leaving: list[tuple[float, int]] = []
        self._refused = self._moves = 0
        self._samples: list[Sample] = []
        self._starts: Counter[str] = Counter()
        self._bursts: list[int] = []

    def figures(self, consolidation: Consolidation | None) -> Figures:
        """Go through the arrivals, and between them through what is due at a time."""
        appointments = self._appointments(consolidation)
        due, act = next(appointments)
        for number, one in enumerate(self._arrivals):
            while one.start_day > due:
                self._depart(due)
                act(due)
                due, act = next(appointments)
            self._depart(one.start_day)
            self._arrive(number, self._requests[one.type_id], one.end_day)
        self._look(self._arrivals[-1].start_day)
        bursts = self._bursts or [max(self._starts.values(), default=0)]
        return summary(self._samples, len(self._arrivals), fmean(bursts))

    def _appointments(self, consolidation: Consolidation | None) -> Iterator[Appointment]:
        """Yield what is due when, in order, and one thing more that is due on the last day."""
        first, last = self._arrivals[0].start_day, self._arrivals[-1].start_day
        begin = max(first, 0.0) if last > 0 else first
        looks = [(float(day), self._look) for day in np.linspace(begin, last, _SAMPLES)[1:]]
        if consolidation is None:
            return iter(looks)
        consolidator = Consolidator(consolidation.most_moves)
        rounds = np.arange(begin + consolidation.every_days, last, consolidation.every_days)
        return heapq.merge(
            [(float(day), lambda _: self._consolidate(consolidator)) for day in rounds], looks, key=lambda pair: pair[0]
        )

    def _look(self, day: float) -> None:
        count = Count(refused=self._refused, moves=self._moves, fullest=self._servers.fullest())
        self._samples.append(self._watch.sample(day, self._servers.table, count))

    def _consolidate(self, consolidator: Consolidator) -> None:
        self._moves += consolidator.empty(self._servers)

    def _depart(self, day: float) -> None:
        while self._leaving and self._leaving[0][0] <= day:
            self._servers.remove(heapq.heappop(self._leaving)[1])

    def _arrive(self, number: int, request: RequestSpec, end_day: float | None) -> None:
        if number and number % _IN_A_ROW == 0:
            self._bursts.append(max(self._starts.values(), default=0))
            self._starts.clear()
        host = self._servers.place(number, request, self._policy)
        if not host:
            self._refused += 1
            return
        self._starts[host] += 1
        if end_day is not None:
            heapq.heappush(self._leaving, (end_day, number))
