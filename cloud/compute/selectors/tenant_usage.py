"""How long projects ran which servers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from cloud.compute.models import Instance
from cloud.core.errors import Invalid
from cloud.core.paging import after_marker, ordered

_COLUMNS = ("uuid", "project_id", "display_name", "flavor", "vm_state", "launched_at", "terminated_at")
_SORT = [("project_id", False), ("uuid", False)]
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Period:
    """From when to when, and of which project: '' for all."""

    start: datetime
    stop: datetime
    project_id: str = ""


def servers_in(period: Period, limit: int, marker: str = "") -> list[dict[str, Any]]:
    """Return what each server used in a period, by project. One query, two with a marker.

    Raises:
        Invalid: no such marker.
    """
    rows = Instance.objects.filter(
        Q(terminated_at__isnull=True) | Q(terminated_at__gt=period.start), launched_at__lt=period.stop
    )
    if period.project_id:
        rows = rows.filter(project_id=period.project_id)
    if marker:
        found = rows.filter(uuid=marker).values("project_id", "uuid").first()
        if found is None:
            raise Invalid(f"Marker {marker} could not be found.")
        rows = after_marker(rows, _SORT, found)
    return list(_usages(ordered(rows, _SORT).values(*_COLUMNS)[:limit], period))


def _usages(rows: Any, period: Period) -> Iterator[dict[str, Any]]:
    now = timezone.now()
    for row in rows:
        flavor, ended = row["flavor"], row["terminated_at"]
        inside = min(ended or period.stop, period.stop) - max(row["launched_at"], period.start)
        yield {
            "hours": max(inside / _HOUR, 0.0),
            "flavor": flavor.get("name", ""),
            "instance_id": row["uuid"],
            "name": row["display_name"],
            "tenant_id": row["project_id"],
            "memory_mb": flavor["memory_mb"],
            "local_gb": flavor["disk_gb"] + flavor.get("ephemeral_gb", 0),
            "vcpus": flavor["vcpus"],
            "started_at": row["launched_at"],
            "ended_at": ended,
            "state": "terminated" if ended else row["vm_state"],
            "uptime": max(int(((ended or now) - row["launched_at"]).total_seconds()), 0),
        }
