"""What would be chosen, if: a table that is as it was afterwards, whatever was supposed of it."""

from types import TracebackType
from typing import Self

import numpy as np

from contracts.scheduling import Question, RequestSpec, Selected, Taken
from scheduler.core.failures import UndecidedError, undecided
from scheduler.core.pipeline import select_destinations
from scheduler.core.policies import Policy
from scheduler.core.table import HostTable


class Supposed:
    """A context in which servers are thought to be placed. The owner of the table holds its lock meanwhile."""

    def __init__(self, table: HostTable, policy: Policy) -> None:
        self._table = table
        self._policy = policy
        self._promises: list[tuple[str, RequestSpec, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for host, spec, stamp in self._promises:
            self._table.take_back(host, spec, stamp)
        self._promises.clear()

    def take(self, taken: Taken) -> None:
        """Think of something as gone of a host; one that is not known has nothing to take."""
        self._use(taken.host, RequestSpec(vcpus=taken.vcpus, memory_mb=taken.memory_mb, disk_gb=taken.disk_gb))

    def select(self, question: Question, rng: np.random.Generator) -> Selected:
        """Choose as `select_destinations` does, and think of what was chosen as taken from then on."""
        try:
            selected = select_destinations(
                self._table, question.spec, question.count, question.alternates, rng, self._policy
            )
        except UndecidedError as error:
            return undecided(error, question.count, len(self._table))
        for hosts in selected.hosts:
            if hosts:
                self._use(hosts[0], question.spec)
        return selected

    def _use(self, host: str, spec: RequestSpec) -> None:
        stamp = self._table.promise(host, spec)
        if stamp is not None:
            self._promises.append((host, spec, stamp))
