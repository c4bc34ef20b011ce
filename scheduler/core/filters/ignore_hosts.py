"""A host that was tried is not tried again."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class IgnoreHostsFilter:
    """The host is not among those to be left out."""

    name: ClassVar[str] = "IgnoreHostsFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who is not left out."""
        return ~hosts.named(request.ignore_hosts) if request.ignore_hosts else None

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say why they were left out."""
        return "were tried before or are to be left out"
