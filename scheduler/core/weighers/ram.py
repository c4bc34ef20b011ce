"""Spread servers by memory."""

from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns
from scheduler.core.weighers.base import Weights


class RamWeigher:
    """Prefers the host with the most memory free."""

    name: ClassVar[str] = "RamWeigher"
    multiplier: ClassVar[float] = 1.0

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights:
        """Return the memory free."""
        return hosts.memory_mb_free.astype(np.float64)
