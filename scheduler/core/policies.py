"""What an operator can choose from: the same rules, other preferences."""

from collections.abc import Mapping

from scheduler.core.pipeline import Policy
from scheduler.core.weighers import PACK, SPREAD

DEFAULT = "spread"
POLICIES: Mapping[str, Policy] = {"spread": Policy(weighers=SPREAD), "pack": Policy(weighers=PACK)}
