"""Reading images for compute's old image API."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from cloud.core.context import RequestContext
from cloud.core.errors import Invalid
from cloud.core.paging import after_marker
from cloud.images.models import Image
from cloud.images.selectors import listed

_NEWEST_FIRST = [("created_at", True), ("pk_id", True)]


@dataclass(frozen=True)
class ImageFilter:
    """Which images to list. Sizes are the least that an image must ask for; properties must be equal."""

    name: str | None = None
    status: str | None = None
    changed_since: datetime | None = None
    min_ram: int = 0
    min_disk: int = 0
    properties: dict[str, str] = field(default_factory=dict)


def list_images(context: RequestContext, wanted: ImageFilter, limit: int, marker: str = "") -> list[Image]:
    """Return a page of the images that the project may see, newest first. One query, two with a marker.

    Raises:
        Invalid: no such marker.
    """
    rows = _filtered(listed(context, "", "accepted"), wanted)
    if marker:
        found = listed(context, "", "accepted").filter(id=marker).values("created_at", "pk_id").first()
        if found is None:
            raise Invalid(f"marker [{marker}] not found")
        rows = after_marker(rows, _NEWEST_FIRST, found)
    return list(rows.order_by("-created_at", "-pk_id")[:limit])


def _filtered(rows: QuerySet[Image], wanted: ImageFilter) -> QuerySet[Image]:
    rows = rows.filter(min_ram__gte=wanted.min_ram, min_disk__gte=wanted.min_disk)
    if wanted.name is not None:
        rows = rows.filter(name=wanted.name)
    if wanted.status is not None:
        rows = rows.filter(status=wanted.status)
    if wanted.changed_since is not None:
        rows = rows.filter(updated_at__gte=wanted.changed_since)
    for number, (key, value) in enumerate(wanted.properties.items()):
        # The cast makes plain text of it; a JSON key would be compared with JSON.
        text = Cast(KeyTextTransform(key, F("properties")), TextField())
        rows = rows.annotate(**{f"property_{number}": text}).filter(**{f"property_{number}": value})
    return rows
