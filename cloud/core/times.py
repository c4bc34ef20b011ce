"""The date formats of OpenStack's services."""

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from cloud.core.errors import Invalid


def seconds_z(moment: datetime | None) -> str | None:
    """`2026-11-23T05:36:08Z`: servers, images, networks."""
    return f"{_plain(moment, 'seconds')}Z" if moment else None


def micros(moment: datetime | None) -> str | None:
    """`2026-11-23T05:36:08.000000`: services, keypairs, instance actions, launched_at."""
    return _plain(moment, "microseconds") if moment else None


def micros_z(moment: datetime | None) -> str | None:
    """`2026-11-23T05:36:08.000000Z`: Identity."""
    return f"{_plain(moment, 'microseconds')}Z" if moment else None


def _plain(moment: datetime, timespec: str) -> str:
    # Many times as fast as strftime, and a list of servers has thousands.
    return moment.replace(tzinfo=None).isoformat(timespec=timespec)


def read_time(text: str) -> datetime:
    """Read an ISO 8601 time, a date, a month or a year; without an offset it is UTC.

    Raises:
        Invalid
    """
    padded = {4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text)
    try:
        moment = parse_datetime(padded)
        if moment is None:
            day = parse_date(padded)
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
    except ValueError:
        moment = None
    if moment is None:
        raise Invalid(f"{text[:40]!r} is not a time of ISO 8601")
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=UTC)
