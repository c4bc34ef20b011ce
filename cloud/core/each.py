"""Giving many rows values of their own in one UPDATE, whose text costs next to nothing to make.

Django would write a CASE with a WHEN for each row, and makes an object of each part of it: for the times at which a
thousand idle hosts spoke that was half of what their conductor had to do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model


def update_each(model: type[Model], columns: Sequence[str], values: Mapping[int, Sequence[Any]]) -> None:
    """Give rows their values; rows that are gone are left out.

    Args:
        model: whose rows.
        columns: which fields.
        values: of each row, by its primary key, in the order of the columns.
    """
    if not values:
        return
    fields = [model._meta.get_field(name) for name in columns]
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(field.column)} = {_as_typed(number, field)}" for number, field in enumerate(fields, 2))
    row = f"({', '.join(['%s'] * (len(fields) + 1))})"
    table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
    said = f"(VALUES {', '.join([row] * len(values))}) AS said"
    parameters: list[Any] = []
    for pk, given in values.items():
        kept = (field.get_db_prep_save(value, connection) for field, value in zip(fields, given, strict=True))
        parameters += (pk, *kept)
    with connection.cursor() as cursor:
        # The names are the model's own, and all values are bound.
        cursor.execute(f"UPDATE {table} SET {sets} FROM {said} WHERE {table}.{key} = said.column1", parameters)  # noqa: S608


def _as_typed(number: int, field: Any) -> str:
    """Return a column of VALUES as its field's type: SQLite goes by the column that it is kept in."""
    column = f"said.column{number}"
    return column if connection.vendor == "sqlite" else f"{column}::{field.db_type(connection)}"
