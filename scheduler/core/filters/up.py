"""No new servers on hosts whose agent is silent."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class UpFilter:
    """The host's agent has reported lately."""

    name: ClassVar[str] = "UpFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask:
        """Return who is up."""
        return hosts.is_up

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say who could be repaired."""
        return "are down"
