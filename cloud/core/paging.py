"""Keyset pagination: limit and marker over a sorted queryset, without OFFSET."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from cloud.core.errors import Invalid

# Pairs of a column and whether it descends.
Sort = Sequence[tuple[str, bool]]


def read_limit(query: QueryDict, maximum: int = 0) -> int:
    """Return the page size that a query asks for, capped.

    Raises:
        Invalid: `limit` is not a number of 0 or more.
    """
    ceiling = maximum or settings.MAX_PAGE_SIZE
    text = query.get("limit")
    if text is None or text == "":
        return ceiling
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(f"limit must be a whole number of 0 or more, not {text[:40]!r}")
    return min(int(text), ceiling)


def after_marker(rows: QuerySet[Any], sort: Sort, marker: dict[str, Any]) -> QuerySet[Any]:
    """Restrict sorted rows to those behind a marker.

    Args:
        rows: the queryset, not yet sliced.
        sort: its order; the last column must be unique and no column null.
        marker: the marker row's values of these columns.
    """
    condition = Q()
    equal = Q()
    for column, is_descending in sort:
        beyond = Q(**{f"{column}__{'lt' if is_descending else 'gt'}": marker[column]})
        condition |= equal & beyond
        equal &= Q(**{column: marker[column]})
    # Said once more for the first column alone, or no database sees where in an index the page begins.
    first, is_descending = sort[0]
    return rows.filter(Q(**{f"{first}__{'lte' if is_descending else 'gte'}": marker[first]}) & condition)


def ordered(rows: QuerySet[Any], sort: Sort) -> QuerySet[Any]:
    """Sort rows."""
    return rows.order_by(*(F(column).desc() if is_descending else F(column).asc() for column, is_descending in sort))


def next_link(url: str, query: QueryDict, marker: str) -> dict[str, str]:
    """Return a `next` link: the same query with the marker put in."""
    pairs = [(key, value) for key, values in query.lists() for value in values if key != "marker"]
    return {"rel": "next", "href": f"{url}?{urlencode([*pairs, ('marker', marker)])}"}
