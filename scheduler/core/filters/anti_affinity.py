"""A group with the policy `anti-affinity` puts no more than `max_per_host` members on a host."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class AntiAffinityFilter:
    """The host may take one more member of the group."""

    name: ClassVar[str] = "AntiAffinityFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.THAT_HOST

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who may take one more."""
        if request.group_policy != "anti-affinity":
            return None
        return hosts.members < max(request.max_per_host, 1)

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what the policy asks for."""
        return "hold as many members of the server group as its policy anti-affinity allows"
