"""What the product's weighers are measured against, as policies of the same pipeline."""

from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns
from scheduler.core.pipeline import Policy
from scheduler.core.weighers.base import Weigher, Weights
from scheduler.core.weighers.cpu import CpuWeigher
from scheduler.core.weighers.disk import DiskWeigher
from scheduler.core.weighers.ram import RamWeigher


class FirstWeigher:
    """Prefers the host that comes first in the table."""

    name: ClassVar[str] = "FirstWeigher"
    multiplier: ClassVar[float] = 1.0

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights:
        """Return the position, negated."""
        return -np.arange(hosts.first, hosts.first + hosts.size, dtype=np.float64)


class FullRamWeigher(RamWeigher):
    """Prefers the host with the least memory free."""

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights:
        """Return the memory free, negated."""
        return -super().weigh(hosts, request)


class FullCpuWeigher(CpuWeigher):
    """Prefers the host with the fewest virtual CPUs free."""

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights:
        """Return the virtual CPUs free, negated."""
        return -super().weigh(hosts, request)


_SPREAD: tuple[Weigher, ...] = (RamWeigher(), CpuWeigher(), DiskWeigher())
_BEST_FIT: tuple[Weigher, ...] = (FullRamWeigher(), FullCpuWeigher())

STRATEGIES: dict[str, Policy] = {
    "default": Policy(),
    "spread": Policy(weighers=_SPREAD),
    "best-fit": Policy(weighers=_BEST_FIT),
    "first-fit": Policy(weighers=(FirstWeigher(),)),
    "random": Policy(weighers=()),
}
