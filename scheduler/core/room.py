"""How large a server might have been: what is free at once where everything but the size is right."""

import numpy as np

from contracts.scheduling import Room
from scheduler.core.columns import Mask, Numbers
from scheduler.core.filters.base import OfSize
from scheduler.core.trace import Trace

_MOST = 12


def room(trace: Trace) -> list[Room]:
    """Return what the largest hosts have free that fail no rule but those of size.

    No host is among them of which another has as much of everything. By turns the one with the most vCPUs, memory
    and disk, so that a bounded number of them tells of each.
    """
    mask: Mask = np.ones(trace.hosts.size, dtype=np.bool_)
    for verdict in trace.verdicts:
        if verdict.mask is not None and not isinstance(verdict.filter, OfSize):
            mask &= verdict.mask
    free = np.stack([trace.hosts.vcpus_free, trace.hosts.memory_mb_free, trace.hosts.disk_gb_free])[:, mask]
    free = np.maximum(free, 0)
    found: list[Room] = []
    while free.shape[1] and len(found) < _MOST:
        largest = _largest(free, len(found) % 3)
        found.append(Room(vcpus=int(largest[0]), memory_mb=int(largest[1]), disk_gb=int(largest[2])))
        free = free[:, (free > largest[:, np.newaxis]).any(axis=0)]
    return found


def _largest(free: Numbers, first: int) -> Numbers:
    """Return the column with the most in the row `first`; of equal ones the one with the most in the next row."""
    for row in (first, (first + 1) % 3, (first + 2) % 3):
        free = free[:, free[row] == free[row].max()]
    largest: Numbers = free[:, 0]
    return largest
