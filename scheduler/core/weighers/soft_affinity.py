"""A group with the policy `soft-affinity` lives close together where it can."""

from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns
from scheduler.core.weighers.base import Weights


class SoftAffinityWeigher:
    """Prefers the host with the most members of the group, over all that the spreading weighers say."""

    name: ClassVar[str] = "SoftAffinityWeigher"
    multiplier: ClassVar[float] = 10.0

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights | None:
        """Return the number of members."""
        return hosts.members.astype(np.float64) if request.group_policy == "soft-affinity" else None
