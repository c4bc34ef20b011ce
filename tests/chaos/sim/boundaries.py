"""The boundaries that a run crosses: where something may go wrong, in the order in which the run came to them."""

from collections.abc import Callable
from dataclasses import dataclass


class Killed(BaseException):
    """The process that crossed the boundary is dead: nothing of ours may catch this."""


@dataclass(frozen=True)
class Boundary:
    """A moment of a run.

    Attributes:
        number: how many were crossed before it.
        process: api, conductor, scheduler, beat, or agent.
        point: take, commit.before, commit.after, publish.before, publish.after, effect.before, effect.after,
            record.before, record.after or ack.
        label: the message, or the driver's verb, or what is written.
        host: of an agent.
        where: the message in whose course it was crossed.
    """

    number: int
    process: str
    point: str
    label: str
    host: str = ""
    where: str = ""

    def __str__(self) -> str:
        within = f"{self.where}." if self.where and self.where != self.label else ""
        return f"{self.number:03}.{self.process}.{within}{self.label}.{self.point}"


Fault = Callable[[Boundary], None]


class Boundaries:
    """Counts boundaries while it listens, and lets a fault happen at one of them, or at many."""

    def __init__(self) -> None:
        self.is_listening = False
        self.seen: list[Boundary] = []
        self._fault_at: dict[int, Fault] = {}
        self.process, self.host, self.where = "", "", ""
        self.watchers: list[Fault] = []

    def arm(self, number: int, fault: Fault) -> None:
        self._fault_at[number] = fault

    def cross(self, point: str, label: str) -> None:
        """Come to a boundary. May raise what the fault that waits there raises."""
        if not self.is_listening:
            return
        boundary = Boundary(len(self.seen), self.process, point, label, self.host, self.where)
        self.seen.append(boundary)
        for watch in self.watchers:
            watch(boundary)
        fault = self._fault_at.pop(boundary.number, None)
        if fault:
            fault(boundary)
