"""How well the hosts are used: at one moment, and over a whole simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.table import HostTable

_ANYTHING = RequestSpec(vcpus=0, memory_mb=0, disk_gb=0)


@dataclass(frozen=True, slots=True)
class Sample:
    """The hosts at one moment.

    Attributes:
        day: of the virtual clock.
        density: cores promised, of all cores of the hosts that hold a server.
        empty_hosts: hosts that hold none.
        stranded_vcpus: cores free on hosts that no type of the trace fits on any more.
        stranded_memory_mb: memory free on those.
        overcommitted: hosts that promised more than they have; always 0, or the scheduler is wrong.
    """

    day: float
    density: float
    empty_hosts: int
    stranded_vcpus: int
    stranded_memory_mb: int
    overcommitted: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A simulation's outcome; the means are over equal distances of the virtual clock."""

    requests: int
    refused: int
    density: float
    empty_hosts: float
    stranded_vcpus: float
    stranded_memory_mb: float
    overcommitted: int
    samples: tuple[Sample, ...]


def sample(day: float, table: HostTable, requests: Sequence[RequestSpec]) -> Sample:
    """Look at the hosts."""
    hosts = table.columns(_ANYTHING)
    total = table.vcpus()
    used = total - hosts.vcpus_free
    is_taken = used > 0
    fits = np.zeros(hosts.size, dtype=np.bool_)
    for one in requests:
        fits |= (
            (hosts.vcpus_free >= one.vcpus)
            & (hosts.memory_mb_free >= one.memory_mb)
            & (hosts.disk_gb_free >= one.disk_gb)
        )
    over = (hosts.vcpus_free < 0) | (hosts.memory_mb_free < 0) | (hosts.disk_gb_free < 0)
    return Sample(
        day=day,
        density=float(used.sum() / max(int(total[is_taken].sum()), 1)),
        empty_hosts=int(np.count_nonzero(~is_taken)),
        stranded_vcpus=int(hosts.vcpus_free[~fits].sum()),
        stranded_memory_mb=int(hosts.memory_mb_free[~fits].sum()),
        overcommitted=int(np.count_nonzero(over)),
    )


def summary(samples: Sequence[Sample], requests: int, refused: int) -> Figures:
    """Return the means over the samples."""
    return Figures(
        requests=requests,
        refused=refused,
        density=fmean(one.density for one in samples),
        empty_hosts=fmean(one.empty_hosts for one in samples),
        stranded_vcpus=fmean(one.stranded_vcpus for one in samples),
        stranded_memory_mb=fmean(one.stranded_memory_mb for one in samples),
        overcommitted=max(one.overcommitted for one in samples),
        samples=tuple(samples),
    )
