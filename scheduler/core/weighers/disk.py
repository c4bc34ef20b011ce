"""Spread servers by disk."""

from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns
from scheduler.core.weighers.base import Weights


class DiskWeigher:
    """Prefers the host with the most disk free."""

    name: ClassVar[str] = "DiskWeigher"
    multiplier: ClassVar[float] = 1.0

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights:
        """Return the disk free."""
        return hosts.disk_gb_free.astype(np.float64)
