"""Who removed whom: every filter's verdict on every host, kept for as long as a decision takes."""

from dataclasses import dataclass

import numpy as np

from contracts.scheduling import FilterTrace, RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import Filter


@dataclass(frozen=True, slots=True)
class Verdict:
    """A filter and whom it lets through; None where the request does not ask for it."""

    filter: Filter
    mask: Mask | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The verdicts of all filters on all hosts, in order."""

    hosts: Columns
    request: RequestSpec
    verdicts: list[Verdict]

    def passed(self) -> Mask:
        """Return who was let through by every filter."""
        mask: Mask = np.ones(self.hosts.size, dtype=np.bool_)
        for verdict in self.verdicts:
            if verdict.mask is not None:
                mask &= verdict.mask
        return mask

    def counts(self) -> list[FilterTrace]:
        """Return how many hosts each filter was given, after those before it, and how many it let through."""
        counts = []
        mask: Mask = np.ones(self.hosts.size, dtype=np.bool_)
        left = self.hosts.size
        for verdict in self.verdicts:
            given = left
            if verdict.mask is not None:
                mask &= verdict.mask
                left = int(np.count_nonzero(mask))
            counts.append(FilterTrace(filter=verdict.filter.name, hosts_in=given, hosts_out=left))
        return counts
