"""An administrator may name the host."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class RequestedHostFilter:
    """The host is the one asked for."""

    name: ClassVar[str] = "RequestedHostFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return the one host."""
        return hosts.named([request.requested_host]) if request.requested_host else None

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say which host was asked for."""
        return f"are not the requested host {request.requested_host}"
