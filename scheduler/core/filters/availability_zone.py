"""A server asked for in a zone stays in the zone."""

from typing import ClassVar

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask
from scheduler.core.filters.base import AfterPick


class AvailabilityZoneFilter:
    """The host is in the availability zone asked for."""

    name: ClassVar[str] = "AvailabilityZoneFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who is in the zone."""
        if not request.availability_zone:
            return None
        mask: Mask = hosts.zone == hosts.vocabulary.zones.find(request.availability_zone)
        return mask

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say that others would do outside the zone."""
        return f"are outside the availability zone {request.availability_zone}"
