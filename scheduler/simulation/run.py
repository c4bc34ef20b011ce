"""One simulation: a trace on a virtual clock, every request decided by the scheduler's own pipeline."""

import heapq
import math
from dataclasses import dataclass

import numpy as np

from contracts.scheduling import HostState, RequestSpec
from scheduler.core.pipeline import Policy, select_destinations
from scheduler.core.table import HostTable
from scheduler.simulation.figures import Figures, Sample, sample, summary
from scheduler.simulation.trace import ServerType, Trace

_SAMPLES = 100


@dataclass(frozen=True)
class Machine:
    """What a fake host can promise."""

    vcpus: int = 64
    memory_mb: int = 262_144
    disk_gb: int = 4_096

    def request(self, one: ServerType) -> RequestSpec:
        """Return what a type needs of this machine, rounded up."""
        return RequestSpec(
            vcpus=math.ceil(one.cores * self.vcpus),
            memory_mb=math.ceil(one.memory * self.memory_mb),
            disk_gb=math.ceil(one.disk * self.disk_gb),
        )


def fake_hosts(count: int, machine: Machine) -> list[HostState]:
    """Return that many empty hosts."""
    return [
        HostState(
            host=f"fake-{number}",
            generation=1,
            vcpus=machine.vcpus,
            memory_mb=machine.memory_mb,
            disk_gb=machine.disk_gb,
        )
        for number in range(count)
    ]


def simulate(hosts: list[HostState], trace: Trace, machine: Machine, policy: Policy, seed: int) -> Figures:
    """Replay the trace on the hosts and return what came of it; the same arguments give the same figures.

    Raises:
        ValueError: there are no hosts.
    """
    if not hosts:
        raise ValueError("there are no hosts to simulate")
    return _Run(hosts, trace, machine, policy, seed).figures()


class _Run:
    """The hosts, the servers on them and the clock, which is the time of the next event."""

    def __init__(self, hosts: list[HostState], trace: Trace, machine: Machine, policy: Policy, seed: int) -> None:
        self._table = HostTable(len(hosts))
        for state in hosts:
            self._table.upsert(state)
        self._trace = trace
        self._requests = {name: machine.request(one) for name, one in trace.types.items()}
        self._policy = policy
        self._rng = np.random.default_rng(seed)
        self._leaving: list[tuple[float, int, str, RequestSpec, int]] = []
        self._refused = 0
        self._samples: list[Sample] = []

    def figures(self) -> Figures:
        """Go through the arrivals, looking at the hosts at equal distances of time."""
        arrivals = self._trace.arrivals
        first, last = arrivals[0].start_day, arrivals[-1].start_day
        times = iter([*np.linspace(first, last, _SAMPLES)[1:], math.inf])
        due = next(times)
        for number, one in enumerate(arrivals):
            while one.start_day > due:
                self._look(float(due))
                due = next(times)
            self._depart(one.start_day)
            self._arrive(number, self._requests[one.type_id], one.end_day)
        self._look(last)
        return summary(self._samples, len(arrivals), self._refused)

    def _look(self, day: float) -> None:
        self._depart(day)
        self._samples.append(sample(day, self._table, list(self._requests.values())))

    def _depart(self, day: float) -> None:
        while self._leaving and self._leaving[0][0] <= day:
            _, _, host, request, stamp = heapq.heappop(self._leaving)
            self._table.take_back(host, request, stamp)

    def _arrive(self, number: int, request: RequestSpec, end_day: float | None) -> None:
        selected = select_destinations(self._table, request, 1, 0, self._rng, self._policy)
        if not selected.hosts[0]:
            self._refused += 1
            return
        host = selected.hosts[0][0]
        stamp = self._table.promise(host, request)
        if end_day is not None and stamp is not None:
            heapq.heappush(self._leaving, (end_day, number, host, request, stamp))
