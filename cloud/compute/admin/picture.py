"""An operation's graph as a picture: where each box and line stands; the template draws them as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.compute.models import Step
from cloud.compute.models.operations import StepState
from cloud.compute.selectors.step_graph import Attempt
from cloud.compute.services import graphs
from cloud.core.presentation import duration

BOX_WIDTH, BOX_HEIGHT = 158, 82
_GAP_X, _GAP_Y = 28, 14
_MARGIN, _HEAD = 4, 28
_CHARACTERS = 23
_UNDER_WAY = frozenset({StepState.PENDING, StepState.SENT})


@dataclass(frozen=True)
class Box:
    """A step: its place, and the lines of text in it.

    Attributes:
        key: names the box in its page.
        hint: the whole of it in words, for whoever does not see the picture, and of what did not fit.
        reason: why it failed; empty where it did not.
    """

    x: int
    y: int
    key: str
    state: str
    name: str
    lines: tuple[str, ...]
    hint: str
    reason: str


@dataclass(frozen=True)
class Line:
    """From a step to one that waits for it, as an SVG path. `is_done`: nothing flows there any more."""

    path: str
    is_done: bool


@dataclass(frozen=True)
class Band:
    """An attempt's part of the picture."""

    title: str
    y: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Picture:
    """The whole of it."""

    width: int
    height: int
    bands: tuple[Band, ...]

    @property
    def failures(self) -> list[tuple[str, Box]]:
        """The boxes of what failed, each with the title of its band."""
        return [(band.title, box) for band in self.bands for box in band.boxes if box.reason]


def picture(attempts: Sequence[Attempt], now: datetime) -> Picture:
    """Return the picture of attempts, one band below the other."""
    bands = []
    y = _MARGIN
    for attempt in attempts:
        bands.append(_band(attempt, _title(attempt, attempts[0]), y, now))
        y += _HEAD + _height(attempt) + _GAP_Y
    columns = max((len(one.levels) for one in attempts), default=1)
    width = 2 * _MARGIN + columns * (BOX_WIDTH + _GAP_X) - _GAP_X
    return Picture(width, y + _MARGIN - _GAP_Y if attempts else 2 * _MARGIN, tuple(bands))


def _height(attempt: Attempt) -> int:
    return max(len(level) for level in attempt.levels) * (BOX_HEIGHT + _GAP_Y) - _GAP_Y


def _band(attempt: Attempt, title: str, top: int, now: datetime) -> Band:
    middle = top + _HEAD + _height(attempt) // 2
    places: dict[str, tuple[int, int]] = {}
    for column, level in enumerate(attempt.levels):
        first = middle - (len(level) * (BOX_HEIGHT + _GAP_Y) - _GAP_Y) // 2
        for row, step in enumerate(level):
            places[step.name] = (_MARGIN + column * (BOX_WIDTH + _GAP_X), first + row * (BOX_HEIGHT + _GAP_Y))
    steps = [step for level in attempt.levels for step in level]
    states = {step.name: step.state for step in steps}
    lines = tuple(
        Line(_curve(places[name], places[step.name]), states[name] == StepState.DONE)
        for step in steps for name in step.after if name in places
    )
    boxes = tuple(_box(step, places[step.name], now) for step in steps)
    return Band(title, top + 18, boxes, lines)


def _title(attempt: Attempt, first: Attempt) -> str:
    """Name an attempt. Before another host is tried, the one that failed lets go of what it made."""
    is_clearing = _only_removes(attempt) and not _only_removes(first)
    return f"Attempt {attempt.number}: the host before lets go" if is_clearing else f"Attempt {attempt.number}"


def _only_removes(attempt: Attempt) -> bool:
    return {step.name for level in attempt.levels for step in level} <= {graphs.DESTROY, graphs.FINISH}


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT // 2
    x2, y2 = end[0], end[1] + BOX_HEIGHT // 2
    half = (x1 + x2) // 2
    return f"M{x1} {y1} C{half} {y1} {half} {y2} {x2 - 5} {y2}"


def _box(step: Step, place: tuple[int, int], now: datetime) -> Box:
    name = step.name.replace("_", " ")
    lines = (_how_long(step, now), _who(step), _last(step, now))
    reason = ": ".join(part for part in (step.error_code, step.detail) if part)
    hint = ", ".join(part for part in (name, *lines[:2], reason or lines[2]) if part)
    key = f"step-{step.attempt}-{step.name}"
    return Box(*place, key, _look(step, now), name, tuple(_short(line) for line in lines), hint, reason)


def _who(step: Step) -> str:
    if graphs.is_on_host(step.name):
        return step.host
    return "scheduler" if step.name == graphs.SELECT else "conductor"


def _look(step: Step, now: datetime) -> str:
    is_late = step.state == StepState.SENT and step.deadline is not None and step.deadline < now
    return "late" if is_late else str(step.state)


def _how_long(step: Step, now: datetime) -> str:
    if step.started_at is None or step.state == StepState.SKIPPED:
        return str(step.state)
    took = duration(((step.finished_at or now) - step.started_at).total_seconds())
    sends = f", {step.sends}×" if step.sends > 1 else ""  # noqa: RUF001  it is times
    return f"{step.state} {'since' if step.state in _UNDER_WAY else 'after'} {took}{sends}"


def _last(step: Step, now: datetime) -> str:
    if step.error_code:
        return step.error_code
    if step.name == graphs.CLAIM and step.state == StepState.DONE and step.host:
        return f"claimed {step.host}"
    if step.state != StepState.SENT or step.deadline is None:
        return ""
    left = (step.deadline - now).total_seconds()
    return f"deadline in {duration(left)}" if left > 0 else f"late by {duration(-left)}"


def _short(text: str) -> str:
    return text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 1] + "…"
