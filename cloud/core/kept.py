"""Statements that are put together once: asked again, only their values differ.

Django writes a query's SQL anew each time it is asked, which takes five to twenty times as long as SQLite takes to
answer it. What every build asks is kept here: the way it is written stays Django's, and is done once for each shape.
See docs/adr/0089-statements-are-kept.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import QuerySet, sql
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesIterable, ValuesListIterable

from cloud.core.among import Many
from cloud.core.staying import keep, kept

Row = TypeVar("Row")
Shape = tuple[Any, ...]
# A longer list is asked in Django's own way, which costs little in comparison then.
_SHORT, _LONGEST = 4, 64


@dataclass(frozen=True)
class Json:
    """A value for a JSON column, which is one value whatever it holds."""

    value: Any


@dataclass(frozen=True)
class _Slot:
    """Where in a statement a value goes: which, and which of a list."""

    position: int
    name: str
    index: int | None

    def of(self, values: Mapping[str, Any]) -> Any:
        value = values[self.name]
        return _adapted(value if self.index is None else value[self.index])


@dataclass(frozen=True)
class _Statement:
    """SQL and its parameters, with probes in the place of those that differ from one time to the next."""

    sql: str
    parameters: Sequence[Any]
    slots: Sequence[_Slot]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        found = list(self.parameters)
        for slot in self.slots:
            found[slot.position] = slot.of(values)
        return found


class _Kept(ABC):
    """Statements by shape.

    Args:
        build: writes the statement as Django does. Of its arguments, texts, numbers, moments, `Json`, `Many` and lists
            are values that it may only pass on; all others (None, "", True, tuples, models) decide what is asked.
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build
        self._known: dict[Shape, Any] = {}

    def _of_shape(self, values: Mapping[str, Any]) -> Any:
        shape = (connection.vendor, *((name, _shape(value)) for name, value in values.items()))
        if shape not in self._known:
            self._known[shape] = self._write(_Probes(values))
        return self._known[shape]

    def _is_long(self, values: Mapping[str, Any]) -> bool:
        return any(isinstance(value, list) and len(value) > _LONGEST for value in values.values())

    @abstractmethod
    def _write(self, probes: "_Probes") -> Any:
        """Return what carries out the statement for real values; None where it would find nothing whatever they are."""


class Kept(_Kept, Generic[Row]):
    """A query, given as a function that returns its queryset; called, it returns the rows.

    `do_stay`: until the transaction ends they stay as they are referred to (`cloud.core.staying`).
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], *, do_stay: bool = False) -> None:
        super().__init__(build)
        self._do_stay = do_stay

    def __call__(self, **values: Any) -> list[Row]:
        """Return the rows for these values."""
        if self._is_long(values):
            rows = self._build(**_plain(values))
            if self._do_stay:
                keep(rows)
            return list(rows)
        found = self._of_shape(_padded(values))
        return found(_padded(values)) if found else []

    def first(self, **values: Any) -> Row | None:
        """Return the first row, if there is one."""
        return next(iter(self(**values)), None)

    def _write(self, probes: "_Probes") -> Any:
        queryset = self._build(**probes.values)
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            text, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        statement = probes.statement(kept(text) if self._do_stay else text, parameters)
        return _Reader(statement, queryset, compiler)


class KeptUpdate(_Kept):
    """An UPDATE, given as a function that returns a queryset and its changes; called, it returns how many rows."""

    def __init__(self, build: Callable[..., tuple[QuerySet[Any], Mapping[str, Any]]]) -> None:
        super().__init__(build)

    def __call__(self, **values: Any) -> int:
        """Change the rows for these values."""
        if self._is_long(values):
            rows, changes = self._build(**_plain(values))
            return int(rows.update(**changes))
        statement = self._of_shape(_padded(values))
        if statement is None:
            return 0
        with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.execute(statement.sql, statement.bound(_padded(values)))
            return int(cursor.rowcount)

    def _write(self, probes: "_Probes") -> Any:
        rows, changes = self._build(**probes.values)
        query = rows.query.chain(sql.UpdateQuery)
        query.add_update_values(changes)
        try:
            return probes.statement(*query.get_compiler(DEFAULT_DB_ALIAS).as_sql())
        except EmptyResultSet:
            return None


class _Reader:
    """Reads the rows of a statement as its queryset would."""

    def __init__(self, statement: _Statement, queryset: QuerySet[Any, Any], compiler: Any) -> None:
        self._statement = statement
        self._converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self._make = _maker(queryset, compiler)

    def __call__(self, values: Mapping[str, Any]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(self._statement.sql, self._statement.bound(values))
            rows = cursor.fetchall()
        return [self._make(self._converted(row)) for row in rows]

    def _converted(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._converters:
            return row
        found = list(row)
        for position, (converters, expression) in self._converters.items():
            for convert in converters:
                found[position] = convert(found[position], expression, connection)
        return found


def _maker(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """Return what makes of a row of columns what the queryset would make of it."""
    kind = queryset._iterable_class  # noqa: SLF001 - what `values_list` has set
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return tuple
    if kind is ValuesIterable:
        names = list(queryset.query.selected or queryset.query.values_select)
        return lambda row: dict(zip(names, row, strict=True))
    if kind is not ModelIterable or queryset.query.select_related or queryset._prefetch_related_lookups:  # noqa: SLF001
        raise TypeError(f"{queryset.model.__name__}: only plain models and values can be kept")
    names = [compiler.select[position][0].target.attname for position in compiler.klass_info["select_fields"]]
    extra = compiler.annotation_col_map
    model = queryset.model

    def make(row: Sequence[Any]) -> Any:
        made = model.from_db(DEFAULT_DB_ALIAS, names, row[: len(names)])
        for name, position in extra.items():
            setattr(made, name, row[position])
        return made

    return make


class _Probes:
    """Values that occur nowhere else, to be found again among a statement's parameters."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._places: list[tuple[str, int | None, Any]] = []
        self.values = {name: self._probe(name, value) for name, value in values.items()}

    def statement(self, text: str, parameters: Sequence[Any]) -> _Statement:
        """Return the statement that these values were written into."""
        slots = [_Slot(position, name, index) for position, parameter in enumerate(parameters)
                 for name, index, probe in self._places if _is_same(parameter, probe)]
        missing = {name for name, _, _ in self._places} - {slot.name for slot in slots}
        if missing:
            raise TypeError(f"{sorted(missing)} are no plain parameters of: {text}")
        return _Statement(text, tuple(parameters), slots)

    def _probe(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._one(name, index, one) for index, one in enumerate(value)]
        return self._one(name, None, value) if _is_value(value) else value

    def _one(self, name: str, index: int | None, value: Any) -> Any:
        probe = _probe_like(value, len(self._places))
        self._places.append((name, index, _adapted(probe)))
        return probe.value if isinstance(probe, Json) else probe


def _probe_like(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return f"kept parameter {number}"
    if isinstance(value, Many):
        return Many((f"kept parameter {number}",))
    if isinstance(value, datetime):
        return datetime(1789, 7, 14, tzinfo=UTC) + timedelta(microseconds=number)
    return Json({"kept parameter": number}) if isinstance(value, Json) else 2_089_000_000 + number


def _adapted(value: Any) -> Any:
    """Return a value as the database's driver is given it."""
    if isinstance(value, Json):
        return connection.ops.adapt_json_value(value.value, None)
    if isinstance(value, Many):
        return value.adapted(connection.vendor)
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _is_same(parameter: Any, probe: Any) -> bool:
    # PostgreSQL's driver wraps a document in an object that is equal to no other.
    return bool(getattr(parameter, "obj", parameter) == getattr(probe, "obj", probe))


def _is_value(value: Any) -> bool:
    return isinstance(value, (str, int, datetime, Json, Many)) and not isinstance(value, bool) and value != ""


def _shape(value: Any) -> Any:
    if isinstance(value, list):
        return type(value[0]) if value else None, len(value)
    return type(value) if _is_value(value) else value


def _padded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return long lists as long as the next power of two, their last member repeated, so that there are few shapes."""
    return {name: _stretched(value) if isinstance(value, list) else value for name, value in values.items()}


def _stretched(members: list[Any]) -> list[Any]:
    length = len(members)
    return members if length <= _SHORT else members + members[-1:] * ((1 << (length - 1).bit_length()) - length)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: list(_bare(value)) if isinstance(value, list) else next(_bare([value])) for name, value in values.items()
    }


def _bare(members: Sequence[Any]) -> Iterator[Any]:
    for one in members:
        yield one.value if isinstance(one, Json) else one
