"""The graph of an operation, ready to be drawn: attempts, and in each the steps by how far they are from the first."""

from collections.abc import Iterable
from dataclasses import dataclass

from cloud.compute.models import Operation, Step


@dataclass(frozen=True)
class Attempt:
    """One attempt: `levels[n]` are the steps with n others before them on the longest way."""

    number: int
    levels: tuple[tuple[Step, ...], ...]


def attempts_of(operation: Operation) -> list[Attempt]:
    """Return the graph of an operation's attempts, from the first on. One query."""
    return arranged(Step.objects.filter(operation_id=operation.pk).order_by("attempt", "position"))


def arranged(steps: Iterable[Step]) -> list[Attempt]:
    """Arrange steps, which come by attempt and position, into attempts and levels."""
    by_attempt: dict[int, list[Step]] = {}
    for step in steps:
        by_attempt.setdefault(step.attempt, []).append(step)
    return [Attempt(number, _levels(rows)) for number, rows in sorted(by_attempt.items())]


def _levels(steps: list[Step]) -> tuple[tuple[Step, ...], ...]:
    depth: dict[str, int] = {}
    levels: dict[int, list[Step]] = {}
    for step in steps:
        # A step's forerunners have lower positions, so that they are known; those of an earlier attempt do not count.
        depth[step.name] = 1 + max((depth[name] for name in step.after if name in depth), default=-1)
        levels.setdefault(depth[step.name], []).append(step)
    return tuple(tuple(levels[number]) for number in sorted(levels))
