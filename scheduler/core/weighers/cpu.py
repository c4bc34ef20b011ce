"""Spread servers by CPU."""

from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns
from scheduler.core.weighers.base import Weights


class CpuWeigher:
    """Prefers the host with the most virtual CPUs free."""

    name: ClassVar[str] = "CpuWeigher"
    multiplier: ClassVar[float] = 1.0

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights:
        """Return the virtual CPUs free."""
        return hosts.vcpus_free.astype(np.float64)
