"""What every weigher promises."""

from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns

Weights = NDArray[np.float64]


class Weigher(Protocol):
    """A preference among hosts that satisfy every rule. It looks at each host alone.

    `multiplier` is what the best host gets over the worst, whatever the unit of the weights.
    """

    name: ClassVar[str]
    multiplier: ClassVar[float]

    def weigh(self, hosts: Columns, request: RequestSpec) -> Weights | None:
        """Return a weight for each host, more is better, or None when the request does not care."""
        ...
