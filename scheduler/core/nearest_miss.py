"""What would have fitted: a sentence for operators when no host satisfies every rule."""

import numpy as np

from scheduler.core.columns import Mask, Numbers
from scheduler.core.trace import Trace, Verdict

_SENTENCES = 3
_SINGULAR = {"are": "is", "hold": "holds", "lack": "lacks", "were": "was"}


def nearest_miss(trace: Trace) -> str:
    """Say what keeps those hosts from being taken that fail the fewest rules, the commonest reason first.

    Returns:
        For instance '3 hosts lack 2048 MB of memory; the most that would fit is 1024 MB on a host.' When every
        host fails several rules, the sentences name how many of the nearest ones fail each.
    """
    if not trace.hosts.size:
        return "The scheduler knows of no host."
    fails = _failures(trace)
    fewest = int(fails.min())
    if fewest == 0:
        return ""
    nearest: Mask = fails == fewest
    missed = [(verdict, nearest & ~verdict.mask) for verdict in trace.verdicts if verdict.mask is not None]
    missed = sorted((pair for pair in missed if pair[1].any()), key=lambda pair: -np.count_nonzero(pair[1]))
    sentences = [_sentence(trace, verdict, failed) for verdict, failed in missed[:_SENTENCES]]
    if fewest > 1:
        sentences.insert(0, f"Every host fails {fewest} rules or more.")
    return " ".join(sentences)


def _failures(trace: Trace) -> Numbers:
    fails: Numbers = np.zeros(trace.hosts.size, dtype=np.int64)
    for verdict in trace.verdicts:
        if verdict.mask is not None:
            fails += ~verdict.mask
    return fails


def _sentence(trace: Trace, verdict: Verdict, failed: Mask) -> str:
    count = int(np.count_nonzero(failed))
    complaint = verdict.filter.complain(trace.hosts, trace.request, failed)
    if count > 1:
        return f"{count} hosts {complaint}."
    verb, _, rest = complaint.partition(" ")
    return f"1 host {_SINGULAR.get(verb, verb)} {rest}."
