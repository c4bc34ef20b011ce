"""The fake hosts with their servers: what is promised of whom, by whom, and moved from where to where."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np

from contracts.scheduling import HostState, RequestSpec
from scheduler.core.pipeline import select_destinations
from scheduler.core.policies import Policy
from scheduler.core.table import HostTable


@dataclass(frozen=True, slots=True)
class Placed:
    """A server on its host. The stamp takes its promise back."""

    host: str
    request: RequestSpec
    stamp: int


class PlacedServers:
    """Servers by number, each on the host that the scheduler's pipeline chose for it."""

    def __init__(self, hosts: Iterable[HostState], rng: np.random.Generator) -> None:
        self.table = HostTable()
        for state in hosts:
            self.table.upsert(state)
        self.by_host: dict[str, set[int]] = defaultdict(set)
        self._servers: dict[int, Placed] = {}
        self._rng = rng

    def place(self, number: int, request: RequestSpec, policy: Policy, other_than: str = "") -> str:
        """Choose a host for a server; return its name, empty where there is none."""
        asked = msgspec.structs.replace(request, ignore_hosts=[other_than]) if other_than else request
        (hosts,) = select_destinations(self.table, asked, 1, 0, self._rng, policy).hosts
        if not hosts:
            return ""
        self.put(number, request, hosts[0])
        return hosts[0]

    def put(self, number: int, request: RequestSpec, host: str) -> None:
        """Let a server be on a host, whether or not it has room."""
        stamp = self.table.promise(host, request)
        if stamp is None:
            raise KeyError(host)
        self._servers[number] = Placed(host, request, stamp)
        self.by_host[host].add(number)

    def remove(self, number: int) -> Placed | None:
        """Take a server away and return where it was, None where it never found a host."""
        placed = self._servers.pop(number, None)
        if placed is not None:
            self.table.take_back(placed.host, placed.request, placed.stamp)
            self.by_host[placed.host].remove(number)
        return placed

    def fullest(self) -> int:
        """Return how many servers the host has that holds most."""
        return max((len(numbers) for numbers in self.by_host.values()), default=0)
