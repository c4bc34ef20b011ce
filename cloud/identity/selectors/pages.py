"""Keystone's list filters and pages, for any table with an `id`.

A text column takes `name` and `name__contains`, `name__icontains`, `name__startswith` and so on; pages go by id.
Source: https://docs.openstack.org/api-ref/identity/v3/#filtering-and-sorting
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import QueryDict

from cloud.core.paging import read_limit

_COMPARATORS = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith")
_NO = frozenset({"0", "false", "f", "no", "n", "off"})


class Page(NamedTuple):
    """Some rows, and the marker of those behind them, empty where there are none."""

    rows: list[Any]
    next_marker: str = ""


@dataclass(frozen=True)
class Filters:
    """Which query parameters a list knows: texts with comparators, exact ones, booleans, each by its column."""

    texts: tuple[str, ...] = ("name",)
    exact: Mapping[str, str] = None  # type: ignore[assignment]
    booleans: tuple[str, ...] = ()

    def narrow(self, rows: "QuerySet[Any]", query: QueryDict) -> "QuerySet[Any]":
        """Restrict rows to what a query asks for; parameters that are not known are ignored, as in Keystone."""
        wanted: dict[str, Any] = {}
        for column in self.texts:
            keys = (column, *(f"{column}__{comparator}" for comparator in _COMPARATORS))
            wanted |= {key: query[key] for key in keys if key in query}
        for name, column in (self.exact or {}).items():
            if name in query:
                wanted[column] = query[name]
        wanted |= {name: is_true(query[name]) for name in self.booleans if name in query}
        return rows.filter(**wanted)


def is_true(text: str) -> bool:
    """Read a boolean query parameter: whatever does not say no says yes, an empty value too."""
    return text.strip().lower() not in _NO


def page_of(rows: "QuerySet[Any]", query: QueryDict) -> Page:
    """Return the page that a query asks for.

    Raises:
        Invalid: `limit` is not a number.
    """
    limit = read_limit(query)
    if query.get("marker"):
        rows = rows.filter(id__gt=query["marker"])
    found = list(rows.order_by("id")[: limit + 1]) if limit else []
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else "")
