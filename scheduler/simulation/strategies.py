"""What the scheduler can be told to do, and what that is measured against, as policies of the same pipeline."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns
from scheduler.core.policies import POLICIES, Policy
from scheduler.core.weighers.base import Weights


class FirstWeigher:
    """Prefers the host that comes first in the table."""

    name: ClassVar[str] = "FirstWeigher"
    multiplier: ClassVar[float] = 1.0

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights:
        """Return the position, negated."""
        return -np.arange(hosts.first, hosts.first + hosts.size, dtype=np.float64)


# `spread` is what Nova does by default, `pack` is best-fit, `spread-then-pack` our default.
STRATEGIES: Mapping[str, Policy] = {
    **POLICIES,
    "first-fit": Policy(weighers=(FirstWeigher(),)),
    "random": Policy(weighers=()),
}
