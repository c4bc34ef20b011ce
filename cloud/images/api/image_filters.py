"""Filters, sorting and pages of the image list."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict

from cloud.core.errors import Invalid
from cloud.core.formats import is_printable
from cloud.core.paging import Sort, after_marker, ordered
from cloud.core.times import read_time
from cloud.images.api.image_schemas import STATUSES
from cloud.images.models import Image

SORT_KEYS = frozenset({
    "name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at", "min_ram",
    "min_disk", "owner", "protected", "visibility",
})
_TEXT = frozenset({"name", "id", "status", "owner", "disk_format", "container_format", "checksum", "os_hash_value"})
_NUMBERS = {"size": "size", "size_min": "size__gte", "size_max": "size__lte", "min_ram": "min_ram",
            "min_disk": "min_disk"}
_BOOLEANS = frozenset({"protected", "os_hidden"})
_TIMES = frozenset({"created_at", "updated_at"})
_OPERATORS = {"gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte", "eq": "exact", "neq": "neq"}
_OURS = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status", "tag"})
_DIRECTIONS = ("asc", "desc")
MEMBER_STATUSES = ("accepted", "pending", "rejected", "all")


def one_of(query: QueryDict, name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return a parameter that has few values. Raises Invalid."""
    value = query.get(name, default)
    if value not in (*allowed, default):
        raise Invalid(f"{name} must be one of {', '.join(allowed)}, not {value[:40]!r}")
    return value


def apply_filters(rows: QuerySet[Image], query: QueryDict) -> QuerySet[Image]:
    """Restrict a list to what the query asks for. Raises Invalid."""
    for name in query:
        if name in _OURS:
            continue
        if not is_printable(name + query[name]):
            raise Invalid("Filters must not contain control characters.")
        rows = rows.filter(_condition(name, query[name]))
    for tag in query.getlist("tag"):
        rows = rows.filter(tag_rows__value=tag)
    return rows if "os_hidden" in query else rows.filter(os_hidden=False)


def _condition(name: str, value: str) -> Q:
    if name in _TEXT:
        return Q(**{f"{name}__in": value[3:].split(",")}) if value.startswith("in:") else _status_or(name, value)
    if name in _NUMBERS:
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise Invalid(f"{name} must be a number, not {value[:40]!r}")
        return Q(**{_NUMBERS[name]: int(value)})
    if name in _BOOLEANS:
        return Q(**{name: _boolean(name, value)})
    if name in _TIMES:
        return _time(name, value)
    return _property(name, value)


def _property(name: str, value: str) -> Q:
    # A name with other characters than these is no property, and must not become part of a lookup.
    if not name.replace("_", "").replace("-", "").replace(":", "").replace(".", "").isalnum() or "__" in name:
        return Q(pk__in=[])
    return Q(**{f"properties__{name}": value})


def _status_or(name: str, value: str) -> Q:
    if name == "status" and value not in STATUSES:
        raise Invalid(f"Invalid status value: {value[:40]}")
    return Q(**{name: value})


def _boolean(name: str, value: str) -> bool:
    lowered = value.lower()
    if lowered not in ("true", "false", "1", "0"):
        raise Invalid(f"{name} must be true or false, not {value[:40]!r}")
    return lowered in ("true", "1")


def _time(name: str, value: str) -> Q:
    operator, colon, rest = value.partition(":")
    lookup = _OPERATORS.get(operator) if colon else None
    moment = read_time(rest if lookup else value)
    if lookup == "neq":
        return ~Q(**{name: moment})
    return Q(**{f"{name}__{lookup or 'exact'}": moment})


def read_sort(query: QueryDict) -> list[tuple[str, bool]]:
    """Return the order that a query asks for, made total by the row's key. Raises Invalid."""
    if "sort" in query:
        if "sort_key" in query or "sort_dir" in query:
            raise Invalid("Old and new sorting syntax cannot be combined.")
        pairs = [part.strip().partition(":")[::2] for part in query["sort"].split(",")]
    else:
        keys, directions = query.getlist("sort_key") or ["created_at"], query.getlist("sort_dir") or ["desc"]
        if len(directions) not in (1, len(keys)):
            raise Invalid("The number of sort_dir does not match the number of sort_key.")
        pairs = [(key, directions[index if len(directions) > 1 else 0]) for index, key in enumerate(keys)]
    return [*(_sort_pair(key, direction or "desc") for key, direction in pairs), ("pk_id", True)]


def _sort_pair(key: str, direction: str) -> tuple[str, bool]:
    if key not in SORT_KEYS:
        raise Invalid(f"Invalid sort key: {key[:40]}. It must be one of {', '.join(sorted(SORT_KEYS))}.")
    if direction not in _DIRECTIONS:
        raise Invalid(f"Invalid sort direction: {direction[:40]}")
    return key, direction == "desc"


def page(rows: QuerySet[Image], sort: Sort, marker: Image | None) -> QuerySet[Image]:
    """Sort rows and start behind the marker. Nulls count as smaller than everything."""
    if marker is not None:
        values: dict[str, Any] = {column: getattr(marker, column) for column, _ in sort}
        if None in values.values():
            # A null cannot be compared in SQL: such a marker falls back to the order of creation.
            sort = [("pk_id", True)]
            values = {"pk_id": marker.pk_id}
        rows = after_marker(rows, sort, values)
    return ordered(rows, sort)

