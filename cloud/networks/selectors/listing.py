"""One page of a list: filtered, sorted, behind its marker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, QuerySet

from cloud.core.paging import after_marker, ordered
from cloud.networks.errors import BadRequest
from cloud.networks.selectors.filters import FILTERS, SORT_COLUMNS


@dataclass(frozen=True)
class PageQuery:
    """What a list is asked for.

    Attributes:
        filters: values by attribute. sort: (attribute, is_descending).
        limit: 0 for all. marker: id of the row before the page, or behind it where `is_reverse`.
    """

    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: Sequence[tuple[str, bool]] = ()
    limit: int = 0
    marker: str = ""
    is_reverse: bool = False


def page(rows: QuerySet[Any], query: PageQuery, not_found: Callable[[str], Exception]) -> QuerySet[Any]:
    """Return one page of the rows; last row first where the query is reversed.

    Args:
        rows: what the token may see.
        query: what is asked for.
        not_found: makes the error for a marker that no row has.

    Raises:
        BadRequest: an unknown filter or sort key.
    """
    sort = _sort(rows.model, query)
    found = ordered(_filtered(rows, query.filters), sort)
    if query.marker:
        columns = [column for column, _ in sort]
        marker = rows.filter(id=query.marker).values(*columns).first()
        if marker is None:
            raise not_found(query.marker)
        found = after_marker(found, sort, marker)
    return found[: query.limit] if query.limit else found


def _filtered(rows: QuerySet[Any], filters: Mapping[str, Sequence[str]]) -> QuerySet[Any]:
    known = FILTERS[rows.model]
    unknown = sorted(set(filters) - set(known))
    if unknown:
        raise BadRequest(f"{unknown} is invalid attribute for filtering")
    for name, values in filters.items():
        rows = known[name](rows, values)
    return rows


def _sort(model: type[Model], query: PageQuery) -> list[tuple[str, bool]]:
    columns = SORT_COLUMNS[model]
    unknown = [name for name, _ in query.sort if name not in columns]
    if unknown:
        raise BadRequest(f"{unknown} is invalid attribute for sort_keys")
    sort: dict[str, bool] = {}
    for name, is_descending in query.sort:
        sort.setdefault(columns[name], is_descending)
    sort.setdefault("id", False)
    return [(column, is_descending != query.is_reverse) for column, is_descending in sort.items()]
