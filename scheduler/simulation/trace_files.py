"""Traces on disk: an SQLite file with the tables `vmType` and `vm`, or a folder with `vmType.csv` and `vm.csv`."""

import csv
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
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
    word,
)

_FIELDS = {"vmType": VM_TYPE_FIELDS, "vm": VM_FIELDS}


def read(path: Path) -> Trace:
    """Return the trace, seen from the kind of machine that can hold most of its types.

    Raises:
        TraceError: there is no such file, or it holds no trace; nothing of it is used then.
    """
    types = _types(_rows(path, "vmType"))
    arrivals = sorted(_arrivals(_rows(path, "vm"), types), key=lambda one: (one.start_day, one.server))
    if not arrivals:
        raise TraceError(f"{path}: no server of the trace fits the kind of machine that holds most types")
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


def _types(rows: Iterable[tuple[Row, str]]) -> dict[str, ServerType]:
    by_machine: dict[str, dict[str, ServerType]] = {}
    for row, where in rows:
        types = by_machine.setdefault(word(row, "machineId", where), {})
        name = word(row, "vmTypeId", where)
        if name in types:
            raise TraceError(f"{where}: type {name} is there twice for machine {row['machineId']}")
        types[name] = server_type(row, where)
    if not by_machine:
        raise TraceError("the table vmType is empty")
    sizes = Counter({machine: len(types) for machine, types in by_machine.items()})
    return by_machine[min(sizes, key=lambda machine: (-sizes[machine], machine))]


def _arrivals(rows: Iterable[tuple[Row, str]], types: dict[str, ServerType]) -> Iterator[Arrival]:
    seen: set[str] = set()
    for row, where in rows:
        one = arrival(row, where)
        if one.server in seen:
            raise TraceError(f"{where}: server {one.server} is there twice")
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
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, restval=None)
            _check_names(reader.fieldnames or (), table, str(path))
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                if None in row:
                    raise TraceError(f"{where}: there are more fields than columns")
                yield row, where
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise TraceError(f"{path}: {exc}") from exc


def _sqlite_rows(path: Path, table: str) -> Iterator[tuple[Row, str]]:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            names = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
            _check_names(names, table, f"{path}, table {table}")
            for number, row in enumerate(database.execute(f"SELECT * FROM {table}"), 1):  # noqa: S608 - one of two names
                yield dict(zip(names, row, strict=True)), f"{path}, table {table}, row {number}"
    except sqlite3.Error as exc:
        raise TraceError(f"{path}: {exc}") from exc


def _check_names(names: Iterable[str], table: str, where: str) -> None:
    needed = set(_FIELDS[table])
    if missing := needed - set(names):
        raise TraceError(f"{where}: there is no column {', '.join(sorted(missing))}")
    if unknown := set(names) - needed - IGNORED_FIELDS:
        raise TraceError(f"{where}: unknown column {', '.join(sorted(unknown))}")
