"""A flavor or image may ask for what a host is known to have."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class TraitsFilter:
    """The host has every required trait."""

    name: ClassVar[str] = "TraitsFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who has them all."""
        if not request.required_traits:
            return None
        return hosts.vocabulary.traits.have_all(request.required_traits, hosts.first, hosts.size)

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what was asked for."""
        return f"lack one of the traits {', '.join(sorted(request.required_traits))}"
