"""What the scheduler said, for the terminal."""

from collections.abc import Iterator

from cloud.compute.reasons import Decision, Miss, explain
from cloud.compute.services.placement_reports import Explained


def lines(explained: Explained) -> Iterator[str]:
    """Yield a decision: where to and why there, or why not and what would have fitted."""
    one = explained.decision
    if one.is_placed:
        yield f"placed on {one.candidates[0].host}, of {_left(one)} that would do among {one.hosts_total}"
        yield from (f"  {rank}" for rank in _ranking(one))
        return
    yield explain(one)
    yield from (f"  {_miss(miss)}" for miss in one.near_misses)
    if not one.near_misses and one.sentence:
        yield f"  {one.sentence}"
    if explained.flavors:
        yield f"  would have fitted: {', '.join(flavor.name for flavor in explained.flavors)}"


def _left(one: Decision) -> int:
    return one.filters[-1].hosts_out if one.filters else one.hosts_total


def _ranking(one: Decision) -> Iterator[str]:
    width = max(len(candidate.host) for candidate in one.candidates)
    for number, candidate in enumerate(one.candidates):
        weights = ", ".join(f"{name} {amount:g}" for name, amount in candidate.weights.items())
        rank = "chosen" if number == 0 else "alternate"
        yield f"{rank:<9}  {candidate.host:<{width}}  {candidate.score:g}{f'  ({weights})' if weights else ''}".rstrip()


def _miss(miss: Miss) -> str:
    named = ", ".join(host if lack is None else f"{host} by {lack}" for host, lack in miss.nearest_hosts)
    nearest = f"short of {miss.unit}" if miss.unit else "among them"
    also = f", one of {miss.fails} rules that each fails" if miss.fails > 1 else ""
    hosts = f"{miss.hosts} host{'' if miss.hosts == 1 else 's'}"
    return f"{miss.filter}: {hosts} {miss.complaint}{also}; {nearest}: {named}"
