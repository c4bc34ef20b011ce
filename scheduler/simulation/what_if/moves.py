"""Who would have to move, and where to: each decided by the scheduler's own pipeline, one after the other."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from contracts.inventory import LiveHost, LiveServer
from contracts.scheduling import FilterTrace, HostState, RequestSpec
from scheduler.core.pipeline import select_destinations
from scheduler.core.policies import Policy
from scheduler.core.table import HostTable

_NOTHING = RequestSpec(vcpus=0, memory_mb=0, disk_gb=0)


@dataclass(frozen=True)
class Move:
    """A server that has to go. `host` is where it fits, empty where it fits nowhere: then the others say why."""

    server: LiveServer
    host: str
    trace: Sequence[FilterTrace] = ()
    nearest_miss: str = ""


def table_of(hosts: Iterable[LiveHost]) -> HostTable:
    """Return the scheduler's table of these hosts.

    Raises:
        RefusedHostError: a host reports what cannot be.
    """
    table = HostTable()
    for one in hosts:
        table.upsert(one.state)
    return table


def who_must_go(hosts: Iterable[LiveHost], lost: Collection[str], servers: Iterable[LiveServer]) -> list[LiveServer]:
    """Return the servers on lost hosts, and of those that promise too much then as many as it takes.

    The largest come first: they find room, or make it, in the fewest moves.
    """
    states = {one.state.host: one.state for one in hosts}
    by_host: dict[str, list[LiveServer]] = defaultdict(list)
    for server in sorted(servers, key=_size, reverse=True):
        by_host[server.host].append(server)
    found = [server for host in lost for server in by_host[host]]
    for host, state in states.items():
        found += _too_much(state, by_host[host])
    return sorted(found, key=_size, reverse=True)


def move_all(
    table: HostTable, leaving: Sequence[LiveServer], servers: Iterable[LiveServer], policy: Policy, seed: int
) -> list[Move]:
    """Find a host for each; the table is then as if those that found one had moved."""
    rng = np.random.default_rng(seed)
    groups = _Groups(servers)
    return [_move(table, server, groups, policy, rng) for server in leaving]


def _size(server: LiveServer) -> tuple[int, int, int, str]:
    return server.spec.memory_mb, server.spec.vcpus, server.spec.disk_gb, server.uuid


def _too_much(state: HostState, there: Sequence[LiveServer]) -> Iterator[LiveServer]:
    over = {name: getattr(state, f"{name}_used") - getattr(state, name) for name in ("vcpus", "memory_mb", "disk_gb")}
    for server in there:
        if any(amount > 0 and getattr(server.spec, name) > 0 for name, amount in over.items()):
            over = {name: amount - getattr(server.spec, name) for name, amount in over.items()}
            yield server


class _Groups:
    """Where the members of each server group are, as the moves so far have left them."""

    def __init__(self, servers: Iterable[LiveServer]) -> None:
        self._hosts: dict[str, dict[str, str]] = defaultdict(dict)
        for one in servers:
            if one.group:
                self._hosts[one.group][one.uuid] = one.host

    def others(self, server: LiveServer) -> list[str]:
        if not server.group:
            return []
        return [host for uuid, host in self._hosts[server.group].items() if uuid != server.uuid]

    def move(self, server: LiveServer, host: str) -> None:
        if server.group:
            self._hosts[server.group][server.uuid] = host


def _move(table: HostTable, server: LiveServer, groups: _Groups, policy: Policy, rng: np.random.Generator) -> Move:
    spec = msgspec.structs.replace(
        server.spec,
        requested_host="",
        ignore_hosts=[*server.spec.ignore_hosts, server.host],
        group_hosts=groups.others(server),
    )
    selected = select_destinations(table, spec, 1, 0, rng, policy)
    if not selected.hosts[0]:
        return Move(server, "", selected.trace, selected.nearest_miss)
    host = selected.hosts[0][0]
    table.promise(host, spec)
    stamp = table.promise(server.host, _NOTHING)
    if stamp is not None:
        table.take_back(server.host, spec, stamp)
    groups.move(server, host)
    return Move(server, host)
