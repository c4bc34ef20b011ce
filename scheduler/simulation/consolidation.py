"""Consolidation: hosts with little on them are emptied by live migration, as many moves at a time as allowed."""

from dataclasses import dataclass
from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters import FILTERS
from scheduler.core.filters.base import AfterPick
from scheduler.core.policies import Policy
from scheduler.core.weighers import PACK
from scheduler.simulation.placed import PlacedServers

# A round ends when so many hosts, one after the other, could not be emptied: those that follow hold more.
_PATIENCE = 10


@dataclass(frozen=True)
class Consolidation:
    """How often, in days of the virtual clock, and how many moves at most each time."""

    every_days: float
    most_moves: int


class TakenFilter:
    """The host holds a server already: to open another one would empty none."""

    name: ClassVar[str] = "TakenFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask:
        """Return who holds one."""
        return hosts.vcpus_free < hosts.vcpus

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what they are."""
        return "hold no server"


class Consolidator:
    """Empties the hosts that hold the fewest servers onto others that hold some, chosen by the scheduler's pipeline."""

    def __init__(self, most_moves: int) -> None:
        self._policy = Policy(filters=(*FILTERS, TakenFilter()), weighers=PACK)
        self._most_moves = most_moves

    def empty(self, servers: PlacedServers) -> int:
        """Go through the hosts once, fewest servers first; return how many servers were moved."""
        moves, failures = 0, 0
        by_size = sorted((len(numbers), host) for host, numbers in servers.by_host.items() if numbers)
        for size, host in by_size:
            if moves + size > self._most_moves or failures == _PATIENCE:
                break
            if len(servers.by_host[host]) != size:
                continue  # it took in others meanwhile
            moved = self._leave(servers, host)
            moves += moved
            failures = 0 if moved else failures + 1
        return moves

    def _leave(self, servers: PlacedServers, host: str) -> int:
        """Move all servers of a host, or none; return how many were moved."""
        left: dict[int, RequestSpec] = {}
        for number in sorted(servers.by_host[host]):
            placed = servers.remove(number)
            if placed is not None:
                left[number] = placed.request
                if not servers.place(number, placed.request, self._policy, other_than=host):
                    self._return(servers, host, left)
                    return 0
        return len(left)

    def _return(self, servers: PlacedServers, host: str, left: dict[int, RequestSpec]) -> None:
        for number, request in left.items():
            servers.remove(number)
            servers.put(number, request, host)
