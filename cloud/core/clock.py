"""The database's clock, by which deadlines and leases are set and judged, and the errors of one that is away."""

from datetime import datetime

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

# It cannot be reached, gave no answer in time, has no room for one more, or hung up. Nothing else is meant by these.
DATABASE_AWAY = (OperationalError, InterfaceError)


def database_now() -> datetime:
    """Return what time it is for the database. SQLite lives in this process, so its clock is ours."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
