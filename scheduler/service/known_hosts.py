"""The host table of a running scheduler: shared by the feed, which fills it, and the task, which asks it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from contracts.scheduling import ConsiderDestinations, Considered, RequestSpec, SelectDestinations, Selected
from scheduler.core.failures import UndecidedError, undecided
from scheduler.core.pipeline import select_destinations
from scheduler.core.policies import DEFAULT, POLICIES, Policy
from scheduler.core.supposing import Supposed
from scheduler.core.table import HostTable, RefusedHostError
from scheduler.service.entries import Entry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Promise:
    host: str
    spec: RequestSpec
    stamp: int
    until: float


class KnownHosts:
    """What this scheduler believes of the hosts. Safe for threads.

    A server counts against the host chosen for it at once, so that the next request sees it, until the host's next
    state arrives, which knows better, or until `promise_seconds` have passed, because then it was claimed elsewhere.
    """

    def __init__(
        self,
        promise_seconds: float,
        seed: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        policy: Policy = POLICIES[DEFAULT],
    ) -> None:
        self._promise_seconds = promise_seconds
        self._rng = np.random.default_rng(seed)
        self._clock = clock
        self._policy = policy
        self._table = HostTable()
        self._promises: deque[_Promise] = deque()
        self._lock = threading.Lock()
        self._filled = threading.Event()

    @property
    def is_filled(self) -> bool:
        """Whether all hosts have been seen once."""
        return self._filled.is_set()

    def wait_filled(self, seconds: float) -> bool:
        """Wait until all hosts have been seen once; return whether they have."""
        return self._filled.wait(seconds)

    def apply(self, entry: Entry) -> None:
        """Take what an entry of the feed says; refused hosts are logged and keep their last state."""
        refused = list(entry.refused)
        with self._lock:
            for state in entry.states:
                try:
                    self._table.upsert(state)
                except RefusedHostError as exc:
                    refused.append(str(exc))
            if entry.is_full:
                self._table.keep_only(entry.names)
                self._filled.set()
        for reason in refused:
            logger.warning("refused a host's state: %s", reason)

    def select(self, message: SelectDestinations) -> Selected:
        """Choose hosts for the message's servers.

        A request that cannot be decided finds none for any of them, and the reason stands where operators read what
        would have fitted: sent again it would fail again.
        """
        count = len(message.operation_ids)
        with self._lock:
            self._take_back_expired()
            try:
                selected = select_destinations(
                    self._table, message.spec, count, message.alternates, self._rng, self._policy
                )
            except UndecidedError as exc:
                logger.exception("a request of %d servers could not be decided", count)
                return undecided(exc, count, len(self._table))
            self._promise(selected, message.spec)
        return selected

    def consider(self, message: ConsiderDestinations) -> Considered:
        """Say where servers would go. Nothing is promised, and who asks next finds the table as it was."""
        rng = np.random.default_rng()
        with self._lock:
            self._take_back_expired()
            with Supposed(self._table, self._policy) as supposed:
                for taken in message.taken:
                    supposed.take(taken)
                return Considered(answers=[supposed.select(one, rng) for one in message.questions])

    def _promise(self, selected: Selected, spec: RequestSpec) -> None:
        until = self._clock() + self._promise_seconds
        for hosts in selected.hosts:
            stamp = self._table.promise(hosts[0], spec) if hosts else None
            if stamp is not None:
                self._promises.append(_Promise(hosts[0], spec, stamp, until))

    def _take_back_expired(self) -> None:
        now = self._clock()
        while self._promises and self._promises[0].until <= now:
            promise = self._promises.popleft()
            self._table.take_back(promise.host, promise.spec, promise.stamp)
