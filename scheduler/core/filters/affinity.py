"""A group with the policy `affinity` lives on one host."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class AffinityFilter:
    """The host holds a member of the group, or the group has none yet.

    A member on a host that is not known here leaves no host: the group cannot be kept together.
    """

    name: ClassVar[str] = "AffinityFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.EVERYBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who holds a member."""
        if request.group_policy != "affinity" or hosts.group_size == 0:
            return None
        return hosts.members > 0

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what the policy asks for."""
        return "hold no member of the server group, whose policy is affinity"
