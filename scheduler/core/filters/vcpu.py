"""Virtual CPUs are promised up to the host's ratio, no further."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask, Numbers
from scheduler.core.filters.base import AfterPick


class VcpuFilter:
    """The host has the virtual CPUs free that the flavor asks for."""

    name: ClassVar[str] = "VcpuFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.THAT_HOST
    unit: ClassVar[str] = "vCPUs"

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask:
        """Return who has room."""
        return hosts.vcpus_free >= request.vcpus

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say how much would have fitted."""
        most = max(int(hosts.vcpus_free[failed].max()), 0)
        return f"lack {request.vcpus} vCPUs; the most that would fit is {most} on a host"

    def shortage(self, hosts: Columns, request: RequestSpec) -> Numbers:
        """Return how much each host lacks."""
        return request.vcpus - hosts.vcpus_free
