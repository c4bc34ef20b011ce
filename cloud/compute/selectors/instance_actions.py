"""Operations and their steps, as a server's owner reads them: actions and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.compute.errors import ActionNotFound
from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import StepState
from cloud.core.errors import Invalid
from cloud.core.paging import Sort, after_marker, ordered

_SORT: Sort = (("started_at", True), ("id", True))


@dataclass(frozen=True)
class ActionPage:
    """Which actions of a server. `marker` is the request id of the last one of the page before."""

    limit: int = 1000
    marker: str = ""
    since: datetime | None = None
    before: datetime | None = None


def list_actions(instance_uuid: str, page: ActionPage) -> list[dict[str, Any]]:
    """Return a page of actions, newest first.

    Raises:
        Invalid: no such marker.
    """
    rows = Operation.objects.filter(instance_uuid=instance_uuid)
    if page.marker:
        marker = rows.filter(request_id=page.marker).values("started_at", "id").first()
        if marker is None:
            raise Invalid(f"marker [{page.marker[:100]}] not found")
        rows = after_marker(rows, _SORT, marker)
    if page.since is not None:
        rows = rows.filter(updated_at__gte=page.since)
    if page.before is not None:
        rows = rows.filter(updated_at__lte=page.before)
    return list(ordered(rows, _SORT).values()[: page.limit])


def get_action(instance_uuid: str, request_id: str) -> dict[str, Any]:
    """Return the action that a request caused.

    Raises:
        ActionNotFound
    """
    rows = Operation.objects.filter(instance_uuid=instance_uuid, request_id=request_id)
    found = ordered(rows, _SORT).values().first()
    if found is None:
        raise ActionNotFound(request_id=request_id[:100], uuid=instance_uuid)
    return found


def events_of(operation_id: str) -> Sequence[dict[str, Any]]:
    """Return the steps of an operation that were begun, the newest first; what was not needed was no event."""
    rows = Step.objects.filter(operation_id=operation_id, started_at__isnull=False).exclude(state=StepState.SKIPPED)
    return list(rows.order_by("-attempt", "-position").values())

