"""Rows that others may read and change, but neither remove nor lock, until a transaction ends.

Django's foreign keys are looked at when a transaction commits: until then a row does not hold those it refers to.
"""

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet


def keep(rows: QuerySet[Any]) -> None:
    """Let rows stay, in the order of their keys, until the caller's transaction or savepoint is over.

    Many may keep the same row at once, and an UPDATE of other columns than the key passes. Whoever has locked a row
    (`select_for_update`) is waited for, and waits for us; what is read afterwards is as he left it. SQLite has one
    writer at a time: there is nothing to do.
    """
    if connection.vendor == "postgresql":
        sql, parameters = rows.order_by("pk").values_list("pk").query.sql_with_params()
        with transaction.atomic(savepoint=False), connection.cursor() as cursor:
            cursor.execute(kept(sql), parameters)


def kept(sql: str) -> str:
    """Return a query whose rows stay."""
    return f"{sql} FOR KEY SHARE" if connection.vendor == "postgresql" else sql
