"""The scheduler hint `different_host`: away from all of these servers."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class DifferentHostFilter:
    """The host holds none of the servers that the hint names."""

    name: ClassVar[str] = "DifferentHostFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who holds none."""
        return ~hosts.named(request.different_hosts) if request.different_hosts else None

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what the hint asks for."""
        return "hold a server of the hint different_host"
