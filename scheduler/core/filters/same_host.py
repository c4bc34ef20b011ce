"""The scheduler hint `same_host`: beside one of these servers."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class SameHostFilter:
    """The host holds one of the servers that the hint names."""

    name: ClassVar[str] = "SameHostFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who holds one."""
        return hosts.named(request.same_hosts) if request.same_hosts else None

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what the hint asks for."""
        return "hold none of the servers of the hint same_host"
