"""Which fault points there are, and a seeded choice of them.

A point is a workflow, a step of its graph, a process that dies, and a moment. The graphs are the product's own, so a
new workflow is chosen from as soon as `requests.REQUESTS` knows how it is asked for.
"""

import random
from dataclasses import dataclass
from itertools import zip_longest

from cloud.compute.services import graphs
from cloud.compute.services.graphs import GRAPHS

BEFORE, BETWEEN, AFTER = "before", "unrecorded", "after"
MOMENTS = {
    BEFORE: "before the effect",
    BETWEEN: "after the effect, before the record",
    AFTER: "after the record",
}
PROCESSES = {
    "fake": ("agent", "redis", "conductor", "postgres", "api", "scheduler", "beat"),
    # What only a real host has comes first, so that a short choice has it.
    "libvirt": ("libvirtd", "agent", "qemu", "conductor", "redis", "postgres", "api", "scheduler", "beat"),
}
# Steps that the agent does not do: who makes their effect.
ACTORS = {graphs.SELECT: "scheduler", graphs.CLAIM: "conductor", graphs.FINISH: "conductor"}
# A guest runs before these steps, so that it can be killed.
_ON_A_GUEST = {"delete", "soft_delete", "stop", "reboot", "rebuild", "snapshot"}
# One real host is enough for these.
ON_ONE_HOST = ("build", "delete", "soft_delete", "restore", "stop", "start", "reboot", "rebuild", "snapshot")


@dataclass(frozen=True)
class Case:
    """A fault point."""

    hypervisor: str
    workflow: str
    step: str
    process: str
    moment: str

    @property
    def actor(self) -> str:
        """The process that makes the step's effect."""
        return ACTORS.get(self.step, "agent")

    @property
    def name(self) -> str:
        """A word for it, which pytest's -k takes."""
        return f"{self.hypervisor}-{self.workflow}-{self.step}-{self.process}-{self.moment}"

    def __str__(self) -> str:
        return f"{self.workflow}, {self.step}: {self.process} is killed {MOMENTS[self.moment]}"


def points(hypervisor: str, workflows: tuple[str, ...]) -> list[Case]:
    """Return every point of these workflows that makes sense."""
    found = [
        Case(hypervisor, workflow, step.name, process, moment)
        for workflow in workflows
        for step in GRAPHS[workflow]
        for process in PROCESSES[hypervisor]
        for moment in MOMENTS
    ]
    return [case for case in found if _is_possible(case)]


def _is_possible(case: Case) -> bool:
    has_guest = case.workflow in _ON_A_GUEST and case.actor == "agent" and case.moment == BEFORE
    if case.process == "qemu" and not has_guest:
        return False
    # Effect and record of a conductor's step are one transaction.
    return not (case.actor == "conductor" and case.moment == BETWEEN)


def sample(hypervisor: str, workflows: tuple[str, ...], seed: int, count: int) -> list[Case]:
    """Return a seeded choice: every process in turn, and within its points every workflow before one comes again."""
    rng = random.Random(f"{seed} {hypervisor}")
    all_points = points(hypervisor, workflows)
    columns = []
    for process in PROCESSES[hypervisor]:
        mine = [case for case in all_points if case.process == process]
        by_workflow = [[case for case in mine if case.workflow == workflow] for workflow in workflows]
        for row in by_workflow:
            rng.shuffle(row)
        rng.shuffle(by_workflow)
        columns.append([case for row in zip_longest(*by_workflow) for case in row if case])
    dealt = [case for row in zip_longest(*columns) for case in row if case]
    return dealt[:count]
