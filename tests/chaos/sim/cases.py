"""A case: one scenario, one boundary that it crosses, one fault there. They are counted off a run without faults."""

import logging
import traceback
from dataclasses import dataclass, field

import redis
from django.db import DatabaseError
from kombu.exceptions import OperationalError as BrokerError

from cloud.compute.models import Instance, Operation
from tests.chaos.sim import faults, interruptions
from tests.chaos.sim.boundaries import Boundary, Killed
from tests.chaos.sim.scenarios import Scenario, prepare, set_the_scene
from tests.chaos.sim.verdict import is_calm, is_settled, judge
from tests.chaos.sim.world import World

_EXPECTED = (redis.RedisError, BrokerError, DatabaseError, Killed)


@dataclass(frozen=True)
class Case:
    """One way for things to go wrong."""

    scenario: str
    boundary: Boundary
    fault: str

    def __str__(self) -> str:
        return f"{self.scenario}/{self.boundary}/{self.fault}"


@dataclass
class Baseline:
    """What a scenario comes to undisturbed, and what it crosses on its way."""

    before: list[str]
    after: list[str]
    boots: dict[str, int]
    boundaries: list[Boundary]
    steps: set[tuple[str, str]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


class _Listener(logging.Handler):
    """Hears of errors that somebody logged and nobody expected."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, _EXPECTED):
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._world.errors.append(f"logged: {type(error).__name__}: {error} at {where.filename}:{where.lineno}")


class Stage:
    """A scenario with its scene set, to be copied by fork for each of its cases."""

    def __init__(self, name: str, scenario: Scenario, seed: int) -> None:
        self.name, self.scenario = name, scenario
        self.world, self.users = prepare(seed)
        set_the_scene(self.world, self.users, scenario)
        root = logging.getLogger()
        root.handlers[:] = [_Listener(self.world)]
        root.setLevel(logging.ERROR)
        self.before = self._came_to = state()
        for host in self.world.hosts:
            host.boots.clear()

    def rehearse(self) -> Baseline:
        """Run without faults."""
        boundaries = self.world.boundaries
        boundaries.is_listening = True
        self._play()
        boundaries.is_listening = False
        steps = set(Operation.objects.values_list("workflow", "steps__name"))
        wrong = judge(self.world, self._afterwards)
        return Baseline(self.before, self._came_to, self._boots(), boundaries.seen, steps, wrong)

    def run(self, case: Case, baseline: Baseline) -> list[str]:
        """Run with the case's fault; return what is wrong afterwards."""
        fault = faults.FAULTS[case.fault]
        world, users = self.world, self.users
        world.boundaries.is_listening = True
        world.boundaries.arm(case.boundary.number, lambda boundary: fault.strike(world, users, boundary))
        try:
            self._play()
            wrong = judge(world, self._afterwards)
        except Exception as error:  # noqa: BLE001 - any of them is a finding
            return [*traceback.format_exception(error)[-6:], *world.violations]
        return [*wrong, *self._promised(baseline), *self._compare(case, fault, baseline)]

    def _play(self) -> None:
        self.scenario.deed(self.world, self.users)
        self.world.run(5.0, lambda: is_calm(self.world) and is_settled())

    def _afterwards(self) -> None:
        self._came_to = state()
        for deed in self.scenario.after:
            deed(self.world, self.users)
        interruptions.restore_kept(self.world, self.users)

    def _boots(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for host in self.world.hosts:
            for uuid, count in host.boots.items():
                found[uuid] = found.get(uuid, 0) + count
        return found

    def _promised(self, baseline: Baseline) -> list[str]:
        broken = list(interruptions.broken_promises(self.users, is_spoilt=self.scenario.is_spoilt))
        return [*broken, *interruptions.bystanders(self.users, baseline.after, state_of)]

    def _compare(self, case: Case, fault: faults.Fault, baseline: Baseline) -> list[str]:
        wrong, now = [], self._came_to
        may_be = [baseline.after, *([baseline.before] if case.boundary.process == "api" else [])]
        if self.scenario.workflow == "build" and case.fault in _MUST_BUILD:
            may_be.append([one.replace("error", "active") for one in now])
            fault = faults.Fault((), fault.strike)
        if fault.is_harmless and now not in may_be:
            faulty = list(Operation.objects.exclude(error_code="").values_list("workflow", "error_code", "detail"))
            wrong.append(f"came out as {now}, undisturbed as {baseline.after}: {faulty}")
        if fault.is_exact and sum(self._boots().values()) != sum(baseline.boots.values()):
            wrong.append(f"guests were switched on {self._boots()}, undisturbed {baseline.boots}")
        return wrong


# What does not last, whatever it is, keeps no build from its end.
_MUST_BUILD = frozenset({"driver-fails", "driver-hangs", "driver-hangs-long"})


def state() -> list[str]:
    """Return every living server as a line that says what it came to."""
    return [state_of(one) for one in Instance.objects.filter(deleted=False).order_by("vm_state")]


def state_of(instance: Instance) -> str:
    """Return what a server came to, in a line."""
    return f"{instance.vm_state}/{instance.task_state}/{instance.flavor['flavorid']}"


def enumerate_cases(name: str, scenario: Scenario, baseline: Baseline) -> list[Case]:
    """Return every case of a scenario."""
    return [
        Case(name, boundary, fault)
        for boundary in baseline.boundaries
        if boundary.process
        for fault in faults.fitting(boundary, scenario.workflow, is_spoilt=scenario.is_spoilt)
    ]
