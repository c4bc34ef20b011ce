"""Traces on disk: an SQLite file with the tables `vmType` and `vm`, or a folder with `vmType.csv` and `vm.csv`."""

import csv
import sqlite3
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from scheduler.simulation.trace import (
    IGNORED_FIELDS,
    VM_FIELDS,
    VM_TYPE_FIELDS,
    Arrival,
    Row,
    ServerType,
    Trace,
    TraceError,
    arrival,
    server_type,
    shown,
    word,
)

_FIELDS = {"vmType": VM_TYPE_FIELDS, "vm": VM_FIELDS}
_MOST_SERVERS = 10_000_000
# What a row of too few fields has in the others.
_HOLE = "\0"


def read(path: Path) -> Trace:
    """Return the trace, seen from the kind of machine that can hold most of its types.

    Raises:
        TraceError: there is no such file, or it holds no trace; nothing of it is used then.
    """
    by_machine = _types(_rows(path, "vmType"))
    if not by_machine:
        raise TraceError(f"{path}: the table vmType is empty")
    types = by_machine[min(by_machine, key=lambda machine: (-len(by_machine[machine]), machine))]
    known = {name for some in by_machine.values() for name in some}
    arrivals = sorted(_arrivals(_rows(path, "vm"), types, known), key=lambda one: (one.start_day, one.server))
    if not arrivals:
        raise TraceError(f"{path}: the table vm has no server that fits the kind of machine which holds most types")
    return Trace(types, tuple(arrivals))


def write_csv(trace: Trace, folder: Path) -> None:
    """Write the two tables into a folder, made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(
        folder / "vmType.csv",
        ("id", "vmTypeId", "machineId", "core", "memory", "hdd", "ssd", "nic"),
        (
            (number, name, "0", one.cores, one.memory, 0, one.disk, 0)
            for number, (name, one) in enumerate(trace.types.items())
        ),
    )
    _write(
        folder / "vm.csv",
        ("vmId", "tenantId", "vmTypeId", "priority", "starttime", "endtime"),
        (
            (one.server, "0", one.type_id, 0, one.start_day, "" if one.end_day is None else one.end_day)
            for one in trace.arrivals
        ),
    )


def _write(path: Path, names: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(rows)


def _types(rows: Iterable[tuple[Row, str]]) -> dict[str, dict[str, ServerType]]:
    """Return the types by the kind of machine that they are parts of."""
    by_machine: dict[str, dict[str, ServerType]] = {}
    for row, where in rows:
        types = by_machine.setdefault(word(row, "machineId", where), {})
        name = word(row, "vmTypeId", where)
        if name in types:
            machine = shown(row["machineId"])
            raise TraceError(f"{where}: vmTypeId={shown(name)} is there twice for machineId={machine}")
        types[name] = server_type(row, where)
    return by_machine


def _arrivals(
    rows: Iterable[tuple[Row, str]], types: Container[str], known: Container[str]
) -> Iterator[Arrival]:
    seen: set[str] = set()
    for row, where in rows:
        one = arrival(row, where)
        if one.server in seen:
            raise TraceError(f"{where}: vmId={shown(one.server)} is there twice")
        if one.type_id not in known:
            raise TraceError(f"{where}: vmTypeId={shown(one.type_id)} is no type of the table vmType")
        if len(seen) == _MOST_SERVERS:
            raise TraceError(f"{where}: the trace has more than {_MOST_SERVERS} servers")
        seen.add(one.server)
        if one.type_id in types:
            yield one


def _rows(path: Path, table: str) -> Iterator[tuple[Row, str]]:
    if path.is_dir():
        return _csv_rows(path / f"{table}.csv", table)
    if path.is_file():
        return _sqlite_rows(path, table)
    raise TraceError(f"{path}: there is no such file or folder")


def _csv_rows(path: Path, table: str) -> Iterator[tuple[Row, str]]:
    where = str(path)
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, restval=_HOLE)
            _check_names(reader.fieldnames or (), table, where)
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                if None in row:
                    raise TraceError(f"{where}: there are more fields than columns")
                if _HOLE in row.values():
                    raise TraceError(f"{where}: there are fewer fields than columns")
                yield row, where
    except OSError as exc:
        raise TraceError(f"{path}: {exc.strerror}") from exc
    except (UnicodeDecodeError, csv.Error) as exc:
        raise TraceError(f"after {where}: {exc}") from exc


def _sqlite_rows(path: Path, table: str) -> Iterator[tuple[Row, str]]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            names = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
            _check_names(names, table, f"{path}, table {table}")
            for number, row in enumerate(database.execute(f"SELECT * FROM {table}"), 1):  # noqa: S608 - one of two names
                yield dict(zip(names, row, strict=True)), f"{path}, table {table}, row {number}"
    except sqlite3.Error as exc:
        raise TraceError(f"{path}: {exc}") from exc


def _check_names(names: Sequence[str], table: str, where: str) -> None:
    needed = set(_FIELDS[table])
    if missing := needed - set(names):
        raise TraceError(f"{where}: there is no column {', '.join(sorted(missing))}")
    if unknown := set(names) - needed - IGNORED_FIELDS:
        raise TraceError(f"{where}: unknown column {', '.join(map(shown, sorted(unknown)))}")
    if len(set(names)) < len(names):
        raise TraceError(f"{where}: a column is there twice")
