"""A trace of servers: what they ask for, when they come and go. The schema is that of Azure's packing trace of 2020."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

VM_TYPE_FIELDS = ("vmTypeId", "machineId", "core", "memory", "ssd")
VM_FIELDS = ("vmId", "vmTypeId", "starttime", "endtime")
# What the schema has beside that; a simulation reads none of it.
IGNORED_FIELDS = frozenset({"id", "hdd", "nic", "tenantId", "priority"})

_MOST_DAYS = 36_500.0
_MOST_CHARACTERS = 40


class TraceError(ValueError):
    """The trace cannot be what happened. The sentence says where and why."""


@dataclass(frozen=True, slots=True)
class ServerType:
    """What a server takes of a machine, as fractions of it."""

    cores: float
    memory: float
    disk: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A server that is asked for. `end_day` is None where it outlives the trace; times are days since its beginning."""

    server: str
    type_id: str
    start_day: float
    end_day: float | None


@dataclass(frozen=True, slots=True)
class Trace:
    """Server types of one kind of machine, and arrivals in the order of their times."""

    types: Mapping[str, ServerType]
    arrivals: tuple[Arrival, ...]


Row = Mapping[str, object]


def server_type(row: Row, where: str) -> ServerType:
    """Return the type that a row of table `vmType` describes.

    Raises:
        TraceError: a number is missing, none, or no part of a machine.
    """
    parts = [_number(row, field, where) for field in ("core", "memory", "ssd")]
    for field, part in zip(("core", "memory", "ssd"), parts, strict=True):
        if not 0 <= part <= 1:
            raise TraceError(f"{where}: {field}={part:g} is no part of a machine: it must be from 0 to 1")
    if not parts[0] or not parts[1]:
        raise TraceError(f"{where}: a server needs some core and some memory")
    return ServerType(*parts)


def arrival(row: Row, where: str) -> Arrival:
    """Return the arrival that a row of table `vm` describes.

    Raises:
        TraceError: a field is missing, a time is none, or the server goes before it comes.
    """
    start = _day(row, "starttime", where)
    end = None if row["endtime"] in (None, "") else _day(row, "endtime", where)
    if end is not None and end < start:
        raise TraceError(f"{where}: endtime={end:g} is before starttime={start:g}")
    return Arrival(word(row, "vmId", where), word(row, "vmTypeId", where), start, end)


def _day(row: Row, field: str, where: str) -> float:
    day = _number(row, field, where)
    if abs(day) > _MOST_DAYS:
        raise TraceError(f"{where}: {field}={day:g} is further away than a hundred years")
    return day


def _number(row: Row, field: str, where: str) -> float:
    try:
        number = float(word(row, field, where))
    except ValueError as exc:
        if isinstance(exc, TraceError):
            raise
        raise TraceError(f"{where}: {field}={shown(row[field])} is no number") from exc
    if not math.isfinite(number):
        raise TraceError(f"{where}: {field}={number} is no number")
    return number


def shown(value: object) -> str:
    """Return what a person is shown of a field: never more than fits on a line, and nothing that a terminal obeys."""
    text = str(value)
    return repr(text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…")


def word(row: Row, field: str, where: str) -> str:
    """Return a field that must be there."""
    found = row[field]
    if found is None or found == "":
        raise TraceError(f"{where}: {field} is missing")
    return str(found)
