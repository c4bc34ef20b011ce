"""The planned graph of every workflow: which steps, after which others, with what order and deadline."""

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
    SetInterfaces,
    SnapshotServer,
    SpawnServer,
    StartServer,
    StopServer,
    TakeBackServer,
    VacateServer,
)
from contracts.envelope import Order
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
SET_INTERFACES = "set_interfaces"
# What is done at once, in no graph.
LOCK = "lock"
UNLOCK = "unlock"


@dataclass(frozen=True)
class PlannedStep:
    """A node of a graph. `order`: the command that a host is given; empty for a step of the control plane."""

    name: str
    timing: Timing
    after: tuple[str, ...] = ()
    order: str = ""


def _ordered(name: str, order: type[Order], after: tuple[str, ...] = ()) -> PlannedStep:
    return PlannedStep(name, COMMANDS[order.NAME].timing, after, order.NAME)


def _interfaces() -> tuple[PlannedStep, ...]:
    return (_ordered(SET_INTERFACES, SetInterfaces), PlannedStep(FINISH, FAST, (SET_INTERFACES,)))


def _power(order: type[Order]) -> tuple[PlannedStep, ...]:
    return (_ordered(POWER, order), PlannedStep(FINISH, FAST, (POWER,)))


GRAPHS: dict[str, tuple[PlannedStep, ...]] = {
    "build": (
        PlannedStep(SELECT, PLACING),
        PlannedStep(CLAIM, PLACING, (SELECT,)),
        _ordered(PREPARE_IMAGE, PrepareImage, (CLAIM,)),
        _ordered(PLUG_VIFS, PlugVifs, (CLAIM,)),
        _ordered(SPAWN, SpawnServer, (PREPARE_IMAGE, PLUG_VIFS)),
        PlannedStep(FINISH, FAST, (SPAWN,)),
    ),
    "clear_host": (
        _ordered(DESTROY, DestroyServer),
        PlannedStep(FINISH, FAST, (DESTROY,)),
    ),
    "delete": (
        _ordered(DESTROY, DestroyServer),
        PlannedStep(FINISH, FAST, (DESTROY,)),
    ),
    # Kept for a while: the guest is off, and can be started again.
    "soft_delete": _power(StopServer),
    "restore": _power(StartServer),
    "stop": _power(StopServer),
    "start": _power(StartServer),
    "reboot": _power(RebootServer),
    "resize": (
        PlannedStep(SELECT, PLACING),
        PlannedStep(CLAIM, PLACING, (SELECT,)),
        _ordered(SET_ASIDE, SetAsideServer, (CLAIM,)),
        _ordered(SEND_DISKS, SendDisks, (SET_ASIDE,)),
        _ordered(RECEIVE_DISKS, ReceiveDisks, (SEND_DISKS,)),
        _ordered(PLUG_VIFS, PlugVifs, (SEND_DISKS,)),
        _ordered(LAND, LandServer, (RECEIVE_DISKS, PLUG_VIFS)),
        PlannedStep(FINISH, FAST, (LAND,)),
    ),
    "evacuate": (
        PlannedStep(SELECT, PLACING),
        PlannedStep(CLAIM, PLACING, (SELECT,)),
        _ordered(PREPARE_IMAGE, PrepareImage, (CLAIM,)),
        _ordered(REBUILD, RebuildServer, (PREPARE_IMAGE,)),
        PlannedStep(FINISH, FAST, (REBUILD,)),
    ),
    "undo_evacuation": (
        _ordered(DESTROY, DestroyServer),
        PlannedStep(FINISH, FAST, (DESTROY,)),
    ),
    "snapshot": (
        _ordered(SNAPSHOT, SnapshotServer),
        PlannedStep(FINISH, FAST, (SNAPSHOT,)),
    ),
    "attach_interface": _interfaces(),
    "detach_interface": _interfaces(),
    "confirm_resize": (
        _ordered(DROP_ASIDE, DropAside),
        PlannedStep(FINISH, FAST, (DROP_ASIDE,)),
    ),
    "revert_resize": (
        _ordered(VACATE, VacateServer),
        _ordered(TAKE_BACK, TakeBackServer, (VACATE,)),
        PlannedStep(FINISH, FAST, (TAKE_BACK,)),
    ),
    "rebuild": (
        _ordered(PREPARE_IMAGE, PrepareImage),
        _ordered(REBUILD, RebuildServer, (PREPARE_IMAGE,)),
        PlannedStep(FINISH, FAST, (REBUILD,)),
    ),
}
TIMINGS: dict[tuple[str, str], Timing] = {
    (workflow, step.name): step.timing for workflow, graph in GRAPHS.items() for step in graph
}
# The first release of agents that know all orders of a workflow.
RELEASES: dict[str, int] = {
    workflow: max((COMMANDS[step.order].since for step in graph if step.order), default=1)
    for workflow, graph in GRAPHS.items()
}
_ON_HOSTS = frozenset({step.name for graph in GRAPHS.values() for step in graph if step.order})


def is_on_host(step: str) -> bool:
    """Tell whether a host carries the step out; the control plane does the others."""
    return step in _ON_HOSTS
