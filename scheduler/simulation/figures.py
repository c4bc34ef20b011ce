"""How well the hosts are used: at one moment, and over a whole simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask, Numbers
from scheduler.core.table import HostTable

_ANYTHING = RequestSpec(vcpus=0, memory_mb=0, disk_gb=0)


@dataclass(frozen=True, slots=True)
class Count:
    """What happened until a moment, and how many servers the fullest host holds then."""

    refused: int
    moves: int
    fullest: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The hosts at one moment.

    Attributes:
        day: of the virtual clock.
        density: cores or memory promised, whichever is more, of all of the hosts that hold a server.
        empty_hosts: hosts that hold none.
        stranded_vcpus: cores free on hosts that no type of the trace fits on any more.
        stranded_memory_mb: memory free on those.
        vcpus_per_core: promised where a virtual CPU lives, the mean over all virtual CPUs.
        overcommitted: hosts that promised more than they may; always 0, or the scheduler is wrong.
    """

    day: float
    density: float
    empty_hosts: int
    stranded_vcpus: int
    stranded_memory_mb: int
    vcpus_per_core: float
    overcommitted: int
    count: Count


@dataclass(frozen=True, slots=True)
class Figures:
    """A simulation's outcome; the means are over equal distances of the virtual clock.

    `burst`: of a hundred servers in a row, how many the same host got to start, a mean.
    """

    requests: int
    refused: int
    moves: int
    density: float
    empty_hosts: float
    stranded_vcpus: float
    stranded_memory_mb: float
    vcpus_per_core: float
    fullest: float
    burst: float
    overcommitted: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Watch:
    """Looks at hosts: how often they may promise a core, and what is asked of them."""

    vcpu_ratio: float
    requests: Sequence[RequestSpec]

    def sample(self, day: float, table: HostTable, count: Count) -> Sample:
        """Look at the hosts."""
        hosts = table.columns(_ANYTHING)
        vcpus, memory_mb = hosts.vcpus - hosts.vcpus_free, hosts.memory_mb - hosts.memory_mb_free
        is_taken: Mask = vcpus > 0
        is_stranded = ~self._fits_any(hosts)
        over = (hosts.vcpus_free < 0) | (hosts.memory_mb_free < 0) | (hosts.disk_gb_free < 0)
        return Sample(
            day=day,
            density=max(_share(vcpus, hosts.vcpus, is_taken), _share(memory_mb, hosts.memory_mb, is_taken)),
            empty_hosts=int(np.count_nonzero(~is_taken)),
            stranded_vcpus=int(hosts.vcpus_free[is_stranded].sum()),
            stranded_memory_mb=int(hosts.memory_mb_free[is_stranded].sum()),
            vcpus_per_core=self._vcpus_per_core(vcpus, hosts.vcpus),
            overcommitted=int(np.count_nonzero(over)),
            count=count,
        )

    def _fits_any(self, hosts: Columns) -> Mask:
        fits: Mask = np.zeros(hosts.size, dtype=np.bool_)
        for one in self.requests:
            fits |= (
                (hosts.vcpus_free >= one.vcpus)
                & (hosts.memory_mb_free >= one.memory_mb)
                & (hosts.disk_gb_free >= one.disk_gb)
            )
        return fits

    def _vcpus_per_core(self, used: Numbers, total: Numbers) -> float:
        promised = int(used.sum())
        return float((used * used / np.maximum(total, 1)).sum() * self.vcpu_ratio / promised) if promised else 0.0


def _share(used: Numbers, total: Numbers, is_taken: Mask) -> float:
    return float(used.sum() / max(int(total[is_taken].sum()), 1))


def summary(samples: Sequence[Sample], requests: int, burst: float) -> Figures:
    """Return the means over the samples."""
    return Figures(
        requests=requests,
        refused=samples[-1].count.refused,
        moves=samples[-1].count.moves,
        density=fmean(one.density for one in samples),
        empty_hosts=fmean(one.empty_hosts for one in samples),
        stranded_vcpus=fmean(one.stranded_vcpus for one in samples),
        stranded_memory_mb=fmean(one.stranded_memory_mb for one in samples),
        vcpus_per_core=fmean(one.vcpus_per_core for one in samples),
        fullest=fmean(one.count.fullest for one in samples),
        burst=burst,
        overcommitted=max(one.overcommitted for one in samples),
        samples=tuple(samples),
    )
