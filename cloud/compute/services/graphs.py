"""The planned graph of every workflow: which steps, after which others, with what deadline."""

from dataclasses import dataclass

from contracts.compute import (
    COMMANDS,
    DestroyServer,
    DropAside,
    LandServer,
    PlugVifs,
    PrepareImage,
    RebootServer,
    RebuildServer,
    ReceiveDisks,
    SendDisks,
    SetAsideServer,
    SnapshotServer,
    SpawnServer,
    StartServer,
    StopServer,
    TakeBackServer,
    VacateServer,
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
SET_ASIDE = "set_aside_server"
SEND_DISKS = "send_disks"
RECEIVE_DISKS = "receive_disks"
LAND = "land_server"
SNAPSHOT = "snapshot_server"
DROP_ASIDE = "drop_aside"
VACATE = "vacate_server"
TAKE_BACK = "take_back_server"


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
    "resize": (
        PlannedStep(SELECT, PLACING),
        PlannedStep(CLAIM, PLACING, (SELECT,)),
        PlannedStep(SET_ASIDE, COMMANDS[SetAsideServer.NAME].timing, (CLAIM,)),
        PlannedStep(SEND_DISKS, COMMANDS[SendDisks.NAME].timing, (SET_ASIDE,)),
        PlannedStep(RECEIVE_DISKS, COMMANDS[ReceiveDisks.NAME].timing, (SEND_DISKS,)),
        PlannedStep(PLUG_VIFS, COMMANDS[PlugVifs.NAME].timing, (SEND_DISKS,)),
        PlannedStep(LAND, COMMANDS[LandServer.NAME].timing, (RECEIVE_DISKS, PLUG_VIFS)),
        PlannedStep(FINISH, FAST, (LAND,)),
    ),
    "snapshot": (
        PlannedStep(SNAPSHOT, COMMANDS[SnapshotServer.NAME].timing),
        PlannedStep(FINISH, FAST, (SNAPSHOT,)),
    ),
    "confirm_resize": (
        PlannedStep(DROP_ASIDE, COMMANDS[DropAside.NAME].timing),
        PlannedStep(FINISH, FAST, (DROP_ASIDE,)),
    ),
    "revert_resize": (
        PlannedStep(VACATE, COMMANDS[VacateServer.NAME].timing),
        PlannedStep(TAKE_BACK, COMMANDS[TakeBackServer.NAME].timing, (VACATE,)),
        PlannedStep(FINISH, FAST, (TAKE_BACK,)),
    ),
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
RELEASES: dict[str, int] = {"resize": 2, "confirm_resize": 2, "revert_resize": 2, "snapshot": 2}
