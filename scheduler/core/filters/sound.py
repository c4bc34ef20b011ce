"""No new servers on hosts that say themselves that they cannot take any."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class SoundFilter:
    """The host reports no trouble: its hypervisor answers and its disk has room."""

    name: ClassVar[str] = "SoundFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask:
        """Return who is sound."""
        return hosts.is_sound

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say who could be repaired."""
        return "report a hypervisor that does not answer or a full disk"
