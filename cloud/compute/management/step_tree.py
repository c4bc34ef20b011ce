"""Drawing for the terminal: a table, and an operation's graph as a tree."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cloud.compute.models import Step
from cloud.compute.models.operations import StepState
from cloud.compute.selectors.step_graph import Attempt
from cloud.core.presentation import duration

_SIGNS = {
    StepState.PENDING: "·", StepState.SENT: "▶", StepState.DONE: "✔", StepState.FAILED: "✘", StepState.SKIPPED: "○",
}  # fmt: skip


def tree(attempts: Sequence[Attempt], now: datetime) -> Iterator[str]:
    """Yield the lines of a graph: each level hangs below the last step of the one before."""
    for attempt in attempts:
        if len(attempts) > 1:
            yield f"attempt {attempt.number}"
        for depth, level in enumerate(attempt.levels):
            for step in level:
                corner = "└─" if step is level[-1] else "├─"
                yield f"{'   ' * depth}{corner} {_line(step, now)}"


def _line(step: Step, now: datetime) -> str:
    words = [f"{_SIGNS[StepState(step.state)]} {step.name}", str(step.state)]
    if step.started_at and step.state != StepState.SKIPPED:
        words.append(duration(((step.finished_at or now) - step.started_at).total_seconds()))
    if step.host:
        words.append(f"on {step.host}")
    if step.sends > 1:
        words.append(f"sent {step.sends} times")
    if step.state == StepState.SENT and step.deadline:
        words.append(_remaining(step.deadline, now))
    if len(step.after) > 1:
        words.append(f"after {' and '.join(step.after)}")
    if step.error_code:
        words.append(f"{step.error_code}: {step.detail}" if step.detail else step.error_code)
    return "  ".join(words)


def _remaining(deadline: datetime, now: datetime) -> str:
    left = (deadline - now).total_seconds()
    return f"deadline in {duration(left)}" if left > 0 else f"deadline passed {duration(-left)} ago"


def table(head: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> Iterator[str]:
    """Yield the lines of a table.

    Args:
        head: what the columns are called.
        rows: their values.
        right: a letter for each column, `r` for numbers; those beyond its end are texts.
    """
    texts = [list(head), *([str(value) for value in row] for row in rows)]
    widths = [max(len(text[column]) for text in texts) for column in range(len(head))]
    for text in texts:
        cells = (
            cell.rjust(width) if right[column:column + 1] == "r" else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(text, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
