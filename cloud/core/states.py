"""State machines as data: a table of transitions, and one verb that carries one out as a compare-and-swap."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet

KEEP = "<as it was>"


@dataclass(frozen=True)
class Transition:
    """An event: from any of the stable states with any of the task states, to a stable state and a task state.

    `vm_to` may be KEEP. A task state is '' when nothing is under way.
    """

    event: str
    vm_from: frozenset[str]
    task_from: frozenset[str]
    vm_to: str
    task_to: str


class StateMismatch(Exception):
    """The row was not in a state from which the event may happen; nothing was changed."""


class Machine:
    """Carries out the events of one table on one model's `vm_state` and `task_state`."""

    def __init__(self, transitions: Iterable[Transition]) -> None:
        self._by_event: dict[str, list[Transition]] = {}
        for transition in transitions:
            self._by_event.setdefault(transition.event, []).append(transition)

    @property
    def transitions(self) -> list[Transition]:
        """Every row of the table."""
        return [row for rows in self._by_event.values() for row in rows]

    def allows(self, event: str, vm_state: str, task_state: str) -> bool:
        """Tell whether the event may happen in this state."""
        return any(
            vm_state in row.vm_from and task_state in row.task_from for row in self._by_event[event]
        )

    def fire(self, rows: QuerySet[Any], event: str, **changes: Any) -> int:
        """Move every row that is in a fitting state, in one UPDATE for each row of the table.

        Args:
            rows: a queryset of the model, restricted to what may be touched.
            event: name of the event.
            changes: other columns to set with it.

        Returns:
            How many rows moved.
        """
        return sum(self._move(rows, row, changes) for row in self._by_event[event])

    def as_update(self, rows: QuerySet[Any], event: str, **changes: Any) -> tuple[QuerySet[Any], dict[str, Any]]:
        """Return the UPDATE that `fire` carries out, for `cloud.core.kept`: which rows, and what becomes of them.

        Raises:
            ValueError: the event has several rows in the table, and needs an UPDATE for each.
        """
        (row,) = self._by_event[event]
        return _as_update(rows, row, changes)

    def fire_one(self, instance: Model, event: str, **changes: Any) -> None:
        """Move one row, and the object with it.

        Raises:
            StateMismatch: it was in no fitting state (any more).
        """
        rows = type(instance)._default_manager.filter(pk=instance.pk)
        if not self.fire(rows, event, **changes):
            raise StateMismatch(event)
        instance.refresh_from_db(fields=["vm_state", "task_state", *changes])

    @staticmethod
    def _move(rows: QuerySet[Any], row: Transition, changes: dict[str, Any]) -> int:
        fitting, values = _as_update(rows, row, changes)
        return fitting.update(**values)


def _as_update(
    rows: QuerySet[Any], row: Transition, changes: Mapping[str, Any]
) -> tuple[QuerySet[Any], dict[str, Any]]:
    values = {"task_state": row.task_to, **changes}
    if row.vm_to != KEEP:
        values["vm_state"] = row.vm_to
    return rows.filter(Q(vm_state__in=row.vm_from, task_state__in=row.task_from)), values
