"""No new servers on hosts that an operator has disabled."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class EnabledFilter:
    """The host's compute service is enabled."""

    name: ClassVar[str] = "EnabledFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask:
        """Return who is enabled."""
        return hosts.is_enabled

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say who could be enabled."""
        return "are disabled by an operator"
