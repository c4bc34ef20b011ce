"""Rows of PostgreSQL in one order: left open, they come as they lie, and one seed gives many runs."""

from typing import Any

from django.db.models.expressions import OrderBy
from django.db.models.sql.compiler import SQLCompiler

_order_by = SQLCompiler.get_order_by


def settle_order() -> None:
    """Have every query end its order with the primary key."""
    SQLCompiler.get_order_by = _by_key_at_last


def _by_key_at_last(compiler: Any) -> list[Any]:
    found = _order_by(compiler)
    if _is_of_rows(compiler.query):
        key = OrderBy(compiler.query.model._meta.pk.get_col(compiler.query.get_initial_alias()))
        found.append((key, (*compiler.compile(key), False)))
    return found


def _is_of_rows(query: Any) -> bool:
    is_summed_up = query.group_by is not None or any(
        one.contains_aggregate for one in query.annotation_select.values()
    )
    return not (query.subquery or query.distinct or query.combinator or is_summed_up)
