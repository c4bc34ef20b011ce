"""Rules and preferences of a decision, and what an operator can choose from: the same rules, other preferences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduler.core.columns import Columns
from scheduler.core.filters import FILTERS
from scheduler.core.filters.base import Filter
from scheduler.core.slack import is_roomy
from scheduler.core.weighers import PACK, SPREAD
from scheduler.core.weighers.base import Weigher


@dataclass(frozen=True)
class Policy:
    """How to decide. `weighers_when_tight` take the place of `weighers` where room for large servers is scarce."""

    filters: Sequence[Filter] = FILTERS
    weighers: Sequence[Weigher] = SPREAD
    weighers_when_tight: Sequence[Weigher] | None = None

    def weighers_for(self, hosts: Columns) -> Sequence[Weigher]:
        """Return the preferences among these hosts, as they stand before anything is placed."""
        if self.weighers_when_tight is None or is_roomy(hosts):
            return self.weighers
        return self.weighers_when_tight


DEFAULT = "spread-then-pack"
POLICIES: Mapping[str, Policy] = {
    "spread-then-pack": Policy(weighers=SPREAD, weighers_when_tight=PACK),
    "spread": Policy(weighers=SPREAD),
    "pack": Policy(weighers=PACK),
}
