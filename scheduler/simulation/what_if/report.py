"""What comes of it, as text."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.scheduling import FilterTrace
from scheduler.simulation.what_if.moves import Move

_UUID = 36


@dataclass(frozen=True)
class Capacity:
    """How many more servers of a flavor fit before and after; None for any number."""

    flavor: str
    before: int | None
    after: int | None


def report(moves: Sequence[Move], capacities: Sequence[Capacity], hosts: tuple[int, int]) -> Iterator[str]:
    """Yield the lines."""
    stuck = [one for one in moves if not one.host]
    yield f"hosts: {hosts[0]} before, {hosts[1]} after"
    yield f"servers that would have to move: {len(moves)}, of which {len(stuck)} would find no host"
    yield from _moved([one for one in moves if one.host])
    yield from _stuck(stuck)
    yield from _capacity(capacities)


def _moved(moves: Sequence[Move]) -> Iterator[str]:
    if moves:
        yield ""
        yield f"{'server':<{_UUID}} {'from':<20} {'to':<20} name"
    for one in moves:
        yield f"{one.server.uuid:<{_UUID}} {one.server.host:<20} {one.host:<20} {one.server.name}"


def _stuck(moves: Sequence[Move]) -> Iterator[str]:
    if moves:
        yield ""
        yield f"{'finds no host':<{_UUID}} {'from':<20} name: why"
    for one in moves:
        yield f"{one.server.uuid:<{_UUID}} {one.server.host:<20} {one.server.name}: {one.nearest_miss}"
        yield f"{'':<{_UUID}} {_removed(one.trace)}"
    if moves:
        yield ""
        blamed = Counter(step.filter for one in moves for step in one.trace if step.hosts_out < step.hosts_in)
        yield "filters that took hosts from these servers: " + ", ".join(
            f"{name} from {count}" for name, count in blamed.most_common()
        )


def _removed(trace: Sequence[FilterTrace]) -> str:
    steps = [f"{one.filter} {one.hosts_in} -> {one.hosts_out}" for one in trace if one.hosts_out < one.hosts_in]
    return "hosts left by each filter: " + (", ".join(steps) or "there were none")


def _capacity(capacities: Sequence[Capacity]) -> Iterator[str]:
    if capacities:
        yield ""
        yield f"{'room for flavor':<30} {'before':>8} {'after':>8}"
    for one in capacities:
        yield f"{one.flavor:<30} {_number(one.before):>8} {_number(one.after):>8}"


def _number(count: int | None) -> str:
    return "any" if count is None else str(count)
