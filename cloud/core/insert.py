"""Writing new rows by a statement whose text costs next to nothing to make.

Django puts an INSERT together anew each time, which for the rows of a claim took a fifth of all its processor time.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model

# The least that a database takes in one statement is 32,766 parameters (SQLite).
_PARAMETERS = 20_000


def insert(rows: Sequence[Model]) -> None:
    """Write rows of one model. They don't learn the numbers that the database gives them, and no signal is sent.

    Several statements for a great many: whoever wants all of them or none is in a transaction.

    Raises:
        TypeError: a field of the model needs more than its value in an INSERT.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = _fields(model)
    most = _PARAMETERS // len(fields)
    for start in range(0, len(rows), most):
        some = rows[start : start + most]
        values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in some for field in fields]
        with connection.cursor() as cursor:
            cursor.execute(_text(model, connection.vendor, len(some)), values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as Django's own do


@cache
def _fields(model: type[Model]) -> list["Field[Any, Any]"]:
    """Return the fields that have a value before the row is written."""
    fields = [field for field in model._meta.local_concrete_fields if field is not model._meta.auto_field]
    if strange := [field.name for field in fields if hasattr(field, "get_placeholder")]:
        raise TypeError(f"{model.__name__}: {strange} are not written by their values alone")
    return fields


@cache
def _text(model: type[Model], _vendor: str, count: int) -> str:
    quote, fields = connection.ops.quote_name, _fields(model)
    row = f"({', '.join(['%s'] * len(fields))})"
    columns = ", ".join(quote(field.column) for field in fields)
    # The names are the model's own, and all values are bound.
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {', '.join([row] * count)}"  # noqa: S608
