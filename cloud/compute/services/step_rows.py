"""The rows of an operation's graph, moved on in one statement for any number of operations."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, DateTimeField, F, QuerySet, Value, When
from django.db.models.functions import Coalesce

from cloud.compute.models import Operation, Step
from cloud.compute.models.operations import StepState
from cloud.compute.services.graphs import GRAPHS, TIMINGS
from cloud.core.insert import insert
from cloud.core.kept import KeptUpdate

_OPEN = (StepState.PENDING, StepState.SENT)


def plan(operations: Sequence[Operation], now: datetime, *, first: str = "") -> None:
    """Make the rows of the operations' graphs for their current attempt; the first step counts as sent to their host.

    Args:
        operations: of one workflow.
        now: by the database's clock.
        first: the step to begin with, where earlier ones need no repetition.
    """
    graph = GRAPHS[operations[0].workflow]
    names = [step.name for step in graph]
    begin_at = names.index(first) if first else 0
    insert([
        Step(
            operation_id=operation.id,
            position=position,
            name=step.name,
            after=list(step.after) if position > begin_at else [],
            attempt=operation.attempt,
            **(_sent(step.timing.deadline_seconds, now) if position == begin_at else {}),
            host=operation.host if position == begin_at and step.order else "",
        )
        for operation in operations
        for position, step in enumerate(graph)
        if position >= begin_at
    ])


def _sent(deadline_seconds: float, now: datetime) -> dict[str, Any]:
    return {
        "state": StepState.SENT, "started_at": now, "sends": 1, "deadline": now + timedelta(seconds=deadline_seconds)
    }


def move(
    operations: Sequence[Operation], states: Mapping[str, StepState], now: datetime, *, hosts: bool = False
) -> None:
    """Give steps of the operations' current attempts new states, in one UPDATE.

    A step that is sent gets its deadline; one that is done or skipped gets its end. Steps already done stay.

    Args:
        operations: of one workflow, all at the same attempt.
        states: new state by the step's name.
        now: by the database's clock.
        hosts: also note the operations' hosts in these steps.
    """
    workflow = operations[0].workflow
    sent = (name for name, state in states.items() if state == StepState.SENT)
    _move(
        ids=[one.id for one in operations],
        attempt=operations[0].attempt,
        states=tuple(states.items()),
        now=now,
        deadlines=[now + timedelta(seconds=TIMINGS[workflow, name].deadline_seconds) for name in sent],
        hosts=[one.host for one in operations] if hosts else None,
    )


def _moved(
    ids: list[str], attempt: int, states: tuple[tuple[str, StepState], ...], now: datetime,
    deadlines: list[datetime], hosts: list[str] | None,
) -> tuple[QuerySet[Step], dict[str, Any]]:
    sent = [name for name, state in states if state == StepState.SENT]
    ended = [name for name, state in states if state != StepState.SENT]
    changes: dict[str, Any] = {
        "state": _by_name(dict(states), CharField()),
        "started_at": Coalesce(F("started_at"), Value(now), output_field=DateTimeField()),
    }
    if sent:
        by_name = dict(zip(sent, deadlines, strict=False))
        changes["deadline"] = _by_name(by_name, DateTimeField(), default=F("deadline"))
        changes["sends"] = Case(When(name__in=sent, then=F("sends") + 1), default=F("sends"))
    if ended:
        changes["finished_at"] = Case(
            When(name__in=ended, then=Value(now, output_field=DateTimeField())), default=F("finished_at")
        )
    if hosts:
        whens = (When(operation_id=one, then=Value(host)) for one, host in zip(ids, hosts, strict=True))
        changes["host"] = Case(*whens)
    rows = Step.objects.filter(operation_id__in=ids, attempt=attempt, name__in=[name for name, _ in states],
                               state__in=_OPEN)
    return rows, changes


_move = KeptUpdate(_moved)


def _by_name(values: Mapping[str, Any], field: Any, default: Any = None) -> Case:
    whens = (When(name=name, then=Value(value, output_field=field)) for name, value in values.items())
    return Case(*whens, default=default, output_field=field)


def close_done(operations: Sequence[Operation], now: datetime) -> None:
    """Close what is open of successful operations, all at the same attempt."""
    _close_done(ids=[one.id for one in operations], attempt=operations[0].attempt, now=now)


_close_done = KeptUpdate(
    lambda ids, attempt, now: (
        Step.objects.filter(operation_id__in=ids, attempt=attempt, state__in=_OPEN),
        {
            "state": StepState.DONE,
            "started_at": Coalesce(F("started_at"), Value(now), output_field=DateTimeField()),
            "finished_at": now,
        },
    )
)


def close_failed(operations: Collection[Operation], now: datetime, code: str, detail: str = "") -> None:
    """Close what is open of failed attempts: steps under way failed, later ones were skipped."""
    rows = Step.objects.filter(operation_id__in=[one.id for one in operations], state__in=_OPEN)
    rows.filter(state=StepState.SENT).update(
        state=StepState.FAILED, finished_at=now, error_code=str(code)[:32], detail=detail
    )
    rows.filter(state=StepState.PENDING).update(state=StepState.SKIPPED, finished_at=now)
