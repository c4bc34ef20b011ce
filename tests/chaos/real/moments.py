"""Hitting a moment of a step: whoever would pass it by is frozen there, the victim is killed, the others go on.

What a frozen process would do next has not been done. So with the step's actor frozen a kill comes before the effect,
and with the conductor frozen after the effect and before the record.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread

from cloud.compute.services.graphs import GRAPHS
from tests.chaos.real.cases import ACTORS, AFTER, BEFORE, Case
from tests.chaos.real.clouds import ChaosCloud
from tests.chaos.real.requests import Stage

# A guest that is just booting takes half a minute to hear the power button.
_SECONDS = 60.0
# An order is on its way to its host when its step counts as sent; fake hosts take longer than this for everything.
_ON_ITS_WAY_SECONDS = 0.15
_DONE = {"done", "failed", "skipped"}


class MomentMissed(AssertionError):
    """The operation never came to the moment: the case has proved nothing."""


@dataclass
class Strike:
    """One kill at one moment of one case."""

    cloud: ChaosCloud
    stage: Stage
    case: Case
    struck_at: float = 0.0
    operation_id: str = ""

    def run(self) -> None:
        """Ask for the workflow and kill at the moment; return when everybody goes on."""
        asker = Thread(target=self._ask, daemon=True)
        try:
            self._aim(asker.start)
        finally:
            asker.join(200)
        assert not asker.is_alive(), "the request never ended"

    def _ask(self) -> None:
        with contextlib.suppress(AssertionError):  # what was recorded is what counts
            self.stage.ask(self.case.workflow)

    def _aim(self, ask: Callable[[], None]) -> None:
        case = self.case
        if case.moment == AFTER:
            ask()
            self._await(self._is_recorded)
            self._kill()
        elif case.actor == "scheduler":
            self._around_the_scheduler(ask)
        elif case.actor == "conductor":
            self._before_the_conductor(ask)
        elif case.moment == BEFORE:
            ask()
            self._await_sent(case.step)
            with self.cloud.frozen("agent"):
                self._kill()
        else:
            ask()
            self._await_sent(case.step)
            self._unrecorded()

    def _around_the_scheduler(self, ask: Callable[[], None]) -> None:
        """Freeze the scheduler before its message comes, or the conductor before the scheduler's answer does."""
        is_before = self.case.moment == BEFORE
        with self.cloud.frozen("scheduler" if is_before else "conductor"):
            ask()
            if is_before:
                self._await_sent(self.case.step)
            else:
                self._await_answer()
            self._kill()

    def _before_the_conductor(self, ask: Callable[[], None]) -> None:
        """Freeze the conductor while what comes before its step is being done."""
        graph = {step.name: step for step in GRAPHS[self.case.workflow]}
        previous = graph[self.case.step].after[-1]
        if ACTORS.get(previous) == "scheduler":
            with self.cloud.frozen("conductor"):
                ask()
                self._await_answer()
                self._kill()
        else:
            ask()
            self._await_sent(previous)
            self._unrecorded()

    def _unrecorded(self) -> None:
        time.sleep(_ON_ITS_WAY_SECONDS)
        with self.cloud.frozen("conductor"):
            self._await_answer()
            self._kill()

    def _kill(self) -> None:
        self.struck_at = self.cloud.strike(self.case.process)

    def _operation(self) -> str:
        if not self.operation_id:
            row = self.cloud.rows.latest(self.stage.name)
            if row and row["workflow"] == self.case.workflow:
                self.operation_id = row["id"]
        return self.operation_id

    def _step(self, name: str) -> str:
        operation = self._operation()
        return self.cloud.rows.step(operation, name) if operation else ""

    def _await_sent(self, step: str) -> None:
        def is_sent() -> bool:
            state = self._step(step)
            if state in _DONE:
                raise MomentMissed(f"{step} was {state} before anybody saw that it was sent")
            return state == "sent"

        self._await(is_sent)

    def _is_recorded(self) -> bool:
        return self._step(self.case.step) in _DONE

    def _await_answer(self) -> None:
        """Wait until the conductor's next work for this operation lies in its queue, or half of it in a chord."""
        self._await(lambda: bool(self._operation()) and self.cloud.is_told_to_conductor(self.operation_id))

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise MomentMissed(f"{self.case} never came: {self.cloud.rows.latest(self.stage.name)}")
            time.sleep(0.005)
