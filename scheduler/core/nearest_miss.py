"""What would have fitted, when no host satisfies every rule: in numbers, and as a sentence for operators."""

from collections.abc import Callable, Sequence

import numpy as np

from contracts.scheduling import NearMiss
from scheduler.core.columns import Mask, Numbers
from scheduler.core.filters.base import OfSize
from scheduler.core.trace import Trace, Verdict

_MOST_RULES = 5
_MOST_NAMES = 5
_SENTENCES = 3
_CHARACTERS = 300
_SINGULAR = {"are": "is", "hold": "holds", "lack": "lacks", "were": "was"}


def near_misses(trace: Trace, name: Callable[[int], str]) -> list[NearMiss]:
    """Tell of those hosts that fail the fewest rules which rules these are, the commonest first.

    Args:
        trace: of the choice that failed.
        name: returns the name of the host at a position.
    """
    if not trace.hosts.size:
        return []
    fails = _failures(trace)
    fewest = int(fails.min())
    if fewest == 0:
        return []
    nearest: Mask = fails == fewest
    missed = [(verdict, nearest & ~verdict.mask) for verdict in trace.verdicts if verdict.mask is not None]
    missed = sorted((pair for pair in missed if pair[1].any()), key=lambda pair: -np.count_nonzero(pair[1]))
    return [_near_miss(trace, verdict, failed, fewest, name) for verdict, failed in missed[:_MOST_RULES]]


def nearest_miss(trace: Trace, misses: Sequence[NearMiss]) -> str:
    """Say what keeps those hosts from being taken that fail the fewest rules, the commonest reason first.

    Returns:
        For instance '3 hosts lack 2048 MB of memory; the most that would fit is 1024 MB on a host.' When every
        host fails several rules, the sentences name how many of the nearest ones fail each.
    """
    if not trace.hosts.size:
        return "The scheduler knows of no host."
    sentences = [_sentence(miss) for miss in misses[:_SENTENCES]]
    if misses and misses[0].fails > 1:
        sentences.insert(0, f"Every host fails {misses[0].fails} rules or more.")
    return " ".join(sentences)


def _failures(trace: Trace) -> Numbers:
    fails: Numbers = np.zeros(trace.hosts.size, dtype=np.int64)
    for verdict in trace.verdicts:
        if verdict.mask is not None:
            fails += ~verdict.mask
    return fails


def _near_miss(trace: Trace, verdict: Verdict, failed: Mask, fails: int, name: Callable[[int], str]) -> NearMiss:
    positions = np.flatnonzero(failed)
    short_by: list[int] = []
    unit = ""
    if isinstance(verdict.filter, OfSize):
        short = verdict.filter.shortage(trace.hosts, trace.request)[positions]
        order = np.argsort(short, kind="stable")[:_MOST_NAMES]
        positions, unit = positions[order], verdict.filter.unit
        short_by = [int(amount) for amount in short[order]]
    return NearMiss(
        filter=verdict.filter.name,
        fails=fails,
        hosts=int(np.count_nonzero(failed)),
        complaint=verdict.filter.complain(trace.hosts, trace.request, failed)[:_CHARACTERS],
        nearest=[name(int(position)) for position in positions[:_MOST_NAMES]],
        short_by=short_by,
        unit=unit,
    )


def _sentence(miss: NearMiss) -> str:
    if miss.hosts > 1:
        return f"{miss.hosts} hosts {miss.complaint}."
    verb, _, rest = miss.complaint.partition(" ")
    return f"1 host {_SINGULAR.get(verb, verb)} {rest}."
