"""Moves as operators list them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from cloud.compute.models import Flavor, Migration
from cloud.core.errors import Invalid
from cloud.core.paging import Sort, after_marker, ordered

_SORT: Sort = (("created_at", True), ("id", True))


@dataclass(frozen=True)
class MigrationPage:
    """Which moves: `equal` holds columns and their values, `host` either end; `marker` is a uuid."""

    limit: int
    marker: str = ""
    host: str = ""
    equal: dict[str, str] = field(default_factory=dict)
    since: datetime | None = None
    before: datetime | None = None


def page(wanted: MigrationPage) -> list[Migration]:
    """Return a page of moves, the newest first.

    Raises:
        Invalid: no such marker.
    """
    rows = Migration.objects.filter(**wanted.equal)
    if wanted.host:
        rows = rows.filter(Q(source_compute=wanted.host) | Q(dest_compute=wanted.host))
    if wanted.since is not None:
        rows = rows.filter(updated_at__gte=wanted.since)
    if wanted.before is not None:
        rows = rows.filter(updated_at__lte=wanted.before)
    if wanted.marker:
        marker = Migration.objects.filter(uuid=wanted.marker).values("created_at", "id").first()
        if marker is None:
            raise Invalid(f"Marker {wanted.marker[:100]} could not be found.")
        rows = after_marker(rows, _SORT, marker)
    return list(ordered(rows, _SORT)[: wanted.limit])


def flavor_numbers(migrations: list[Migration]) -> dict[str, int]:
    """Return the numbers that clients of old know flavors by, of those that are still there."""
    named = {one["flavor"]["flavorid"] for move in migrations for one in (move.before, move.after)}
    rows: Any = Flavor.objects.filter(flavorid__in=named).values_list("flavorid", "id")
    return dict(rows)
