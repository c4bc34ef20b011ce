"""Memory is not promised twice."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask, Numbers
from scheduler.core.filters.base import AfterPick


class RamFilter:
    """The host has the memory free that the flavor asks for."""

    name: ClassVar[str] = "RamFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.THAT_HOST
    unit: ClassVar[str] = "MB of memory"

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask:
        """Return who has room."""
        return hosts.memory_mb_free >= request.memory_mb

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say how much would have fitted."""
        most = max(int(hosts.memory_mb_free[failed].max()), 0)
        return f"lack {request.memory_mb} MB of memory; the most that would fit is {most} MB on a host"

    def shortage(self, hosts: Columns, request: RequestSpec) -> Numbers:
        """Return how much each host lacks."""
        return request.memory_mb - hosts.memory_mb_free
