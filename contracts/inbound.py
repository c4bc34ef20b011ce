"""What hosts may say to the conductor, and nothing else: reports, and the steps that hear what came of an order.

The conductor refuses every other task that comes by its inbound queue, whoever signed it. A workflow that lets a new
step hear of an order adds its row here.
"""

from collections.abc import Mapping

from contracts import conductor as steps
from contracts.compute import (
    DestroyServer,
    DropAside,
    GetConsoleOutput,
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
from contracts.conductor import HostReport, PowerReport, Residue
from contracts.envelope import Message
from contracts.inspection import InspectServer
from contracts.networks import SyncNetworks

REPORTS: Mapping[str, type[Message]] = {kind.NAME: kind for kind in (HostReport, PowerReport, Residue)}

# The step -> the orders whose outcome it takes.
HEARD: Mapping[str, frozenset[str]] = {
    steps.NOTE_OUTCOME: frozenset({PrepareImage.NAME, PlugVifs.NAME, ReceiveDisks.NAME}),
    # What a person waits for: a question, or a mending that is no operation.
    steps.TAKE_ANSWER: frozenset({
        GetConsoleOutput.NAME, InspectServer.NAME, PlugVifs.NAME, TakeBackServer.NAME, DestroyServer.NAME,
        DropAside.NAME,
    }),
    steps.NOTE_NETWORKS: frozenset({SyncNetworks.NAME}),
    steps.FINISH_SPAWN: frozenset({SpawnServer.NAME}),
    steps.FINISH_CLEARING: frozenset({DestroyServer.NAME}),
    steps.FINISH_DELETE: frozenset({DestroyServer.NAME}),
    steps.FINISH_SOFT_DELETE: frozenset({StopServer.NAME}),
    steps.FINISH_RESTORE: frozenset({StartServer.NAME}),
    steps.FINISH_POWER: frozenset({StopServer.NAME, StartServer.NAME, RebootServer.NAME}),
    steps.BEGIN_REBUILD: frozenset({PrepareImage.NAME}),
    steps.FINISH_REBUILD: frozenset({RebuildServer.NAME}),
    steps.BEGIN_SEND: frozenset({SetAsideServer.NAME}),
    steps.BEGIN_RECEIVE: frozenset({SendDisks.NAME}),
    steps.FINISH_MOVE: frozenset({LandServer.NAME}),
    steps.FINISH_CONFIRM: frozenset({DropAside.NAME}),
    steps.BEGIN_TAKE_BACK: frozenset({VacateServer.NAME}),
    steps.FINISH_REVERT: frozenset({TakeBackServer.NAME}),
    steps.FINISH_SNAPSHOT: frozenset({SnapshotServer.NAME}),
    steps.FINISH_INTERFACES: frozenset({SetInterfaces.NAME}),
    steps.BEGIN_EVACUATION: frozenset({PrepareImage.NAME}),
    steps.FINISH_EVACUATION: frozenset({RebuildServer.NAME}),
    steps.LEAVE_HOST: frozenset({DestroyServer.NAME}),
}

# The step that goes on when all of them are done -> the orders that are carried out side by side.
JOINS: Mapping[str, frozenset[str]] = {
    steps.BEGIN_SPAWN: frozenset({PrepareImage.NAME, PlugVifs.NAME}),
    steps.BEGIN_LAND: frozenset({ReceiveDisks.NAME, PlugVifs.NAME}),
}
