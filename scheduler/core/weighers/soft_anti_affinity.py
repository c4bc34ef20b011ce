"""A group with the policy `soft-anti-affinity` lives far apart where it can."""

from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns
from scheduler.core.weighers.base import Weights


class SoftAntiAffinityWeigher:
    """Prefers the host with the fewest members of the group, over all that the spreading weighers say."""

    name: ClassVar[str] = "SoftAntiAffinityWeigher"
    multiplier: ClassVar[float] = 10.0

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights | None:
        """Return the number of members, negated."""
        return -hosts.members.astype(np.float64) if request.group_policy == "soft-anti-affinity" else None
