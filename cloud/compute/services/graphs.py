"""The planned graph of every workflow: which steps, after which others, with what deadline."""

from dataclasses import dataclass

from contracts.compute import (
    COMMANDS,
    DestroyServer,
    PlugVifs,
    PrepareImage,
    RebootServer,
    RebuildServer,
    SpawnServer,
    StartServer,
    StopServer,
)
from contracts.timeouts import FAST, PLACING, Timing

SELECT = "select_destinations"
CLAIM = "claim_destination"
PREPARE_IMAGE = "prepare_image"
PLUG_VIFS = "plug_vifs"
SPAWN = "spawn_server"
FINISH = "finish"
DESTROY = "destroy_server"
POWER = "power"
REBUILD = "rebuild_server"


@dataclass(frozen=True)
class PlannedStep:
    """A node of a graph."""

    name: str
    timing: Timing
    after: tuple[str, ...] = ()


def _power(order: str) -> tuple[PlannedStep, ...]:
    return (PlannedStep(POWER, COMMANDS[order].timing), PlannedStep(FINISH, FAST, (POWER,)))


GRAPHS: dict[str, tuple[PlannedStep, ...]] = {
    "build": (
        PlannedStep(SELECT, PLACING),
        PlannedStep(CLAIM, PLACING, (SELECT,)),
        PlannedStep(PREPARE_IMAGE, COMMANDS[PrepareImage.NAME].timing, (CLAIM,)),
        PlannedStep(PLUG_VIFS, COMMANDS[PlugVifs.NAME].timing, (CLAIM,)),
        PlannedStep(SPAWN, COMMANDS[SpawnServer.NAME].timing, (PREPARE_IMAGE, PLUG_VIFS)),
        PlannedStep(FINISH, FAST, (SPAWN,)),
    ),
    "delete": (
        PlannedStep(DESTROY, COMMANDS[DestroyServer.NAME].timing),
        PlannedStep(FINISH, FAST, (DESTROY,)),
    ),
    "stop": _power(StopServer.NAME),
    "start": _power(StartServer.NAME),
    "reboot": _power(RebootServer.NAME),
    "rebuild": (
        PlannedStep(PREPARE_IMAGE, COMMANDS[PrepareImage.NAME].timing),
        PlannedStep(REBUILD, COMMANDS[RebuildServer.NAME].timing, (PREPARE_IMAGE,)),
        PlannedStep(FINISH, FAST, (REBUILD,)),
    ),
}
TIMINGS: dict[tuple[str, str], Timing] = {
    (workflow, step.name): step.timing for workflow, graph in GRAPHS.items() for step in graph
}
# The first release of agents that know all orders of a workflow; not named: every release.
RELEASES: dict[str, int] = {}
