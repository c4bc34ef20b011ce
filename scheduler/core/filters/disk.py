"""Disk is not promised twice."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask, Numbers
from scheduler.core.filters.base import AfterPick


class DiskFilter:
    """The host has the disk free that the server asks for."""

    name: ClassVar[str] = "DiskFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.THAT_HOST
    unit: ClassVar[str] = "GB of disk"

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask:
        """Return who has room."""
        return hosts.disk_gb_free >= request.disk_gb

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say how much would have fitted."""
        most = max(int(hosts.disk_gb_free[failed].max()), 0)
        return f"lack {request.disk_gb} GB of disk; the most that would fit is {most} GB on a host"

    def shortage(self, hosts: Columns, request: RequestSpec) -> Numbers:
        """Return how much each host lacks."""
        return request.disk_gb - hosts.disk_gb_free
