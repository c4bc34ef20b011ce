"""Killed at any point of any order, the agent ends what it was at when the order is repeated."""

import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compute_agent.fences import FileFences
from compute_agent.locks import FileLocks
from compute_agent.observations import residue
from compute_agent.tasks import DUTIES, Agent, Station, carry_out
from contracts.compute import (
    COMMANDS,
    DestroyServer,
    DiskLink,
    DropAside,
    GetConsoleOutput,
    LandServer,
    PlugVifs,
    PrepareImage,
    RebootServer,
    RebuildServer,
    ReceiveDisks,
    SendDisks,
    ServerSpec,
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
from contracts.inspection import InspectServer
from contracts.networks import GroupSpec, HostNetworks, SyncNetworks
from tests.unit.compute_agent.orders import HOST, IMAGE, FakeHost, new_id, order, server_spec
from tests.unit.compute_agent.tripwire import Killed, Tripwire

pytest_plugins = ["tests.fixtures.image_server"]

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
Make = Callable[[ServerSpec, str], Order]


@dataclass(frozen=True)
class Case:
    """What was ordered before, and the order in which the agent is killed. `place` is where a snapshot may go."""

    make: Make
    before: tuple[Make, ...] = ()


def _spawn(server: ServerSpec, _: str) -> Order:
    return order(SpawnServer, server.uuid, server=server)


def _set_aside(server: ServerSpec, _: str) -> Order:
    return order(SetAsideServer, server.uuid, graceful_seconds=0)


def _stop(server: ServerSpec, _: str) -> Order:
    return order(StopServer, server.uuid, graceful_seconds=0)


_MOVE = new_id()
_LINKS = [DiskLink(name="disk", url="http://127.0.0.1:1/disk", size_bytes=0, sha256=_EMPTY)]


def _receive(server: ServerSpec, _: str) -> Order:
    return order(ReceiveDisks, server.uuid, operation_id=_MOVE, disks=_LINKS)


def _sync(_: ServerSpec, place: str) -> Order:
    """Put a document where the control plane would answer with it."""
    document = HostNetworks(host=HOST, version=3, groups={new_id(): GroupSpec()})
    body = msgspec.json.encode(document)
    urllib.request.urlopen(urllib.request.Request(place, data=body, method="PUT")).close()
    return order(SyncNetworks, "", url=place, version=3)


CASES: dict[str, Case] = {
    PrepareImage.NAME: Case(lambda server, _: order(PrepareImage, server.uuid, image=IMAGE)),
    PlugVifs.NAME: Case(lambda server, _: order(PlugVifs, server.uuid, server=server)),
    SpawnServer.NAME: Case(_spawn),
    DestroyServer.NAME: Case(lambda server, _: order(DestroyServer, server.uuid, is_final=True), (_spawn,)),
    StopServer.NAME: Case(_stop, (_spawn,)),
    StartServer.NAME: Case(lambda server, _: order(StartServer, server.uuid, server=server), (_spawn, _stop)),
    RebootServer.NAME: Case(lambda server, _: order(RebootServer, server.uuid, server=server), (_spawn,)),
    RebuildServer.NAME: Case(lambda server, _: order(RebuildServer, server.uuid, server=server), (_spawn,)),
    GetConsoleOutput.NAME: Case(lambda server, _: order(GetConsoleOutput, server.uuid), (_spawn,)),
    InspectServer.NAME: Case(lambda server, _: order(InspectServer, server.uuid), (_spawn,)),
    SyncNetworks.NAME: Case(_sync),
    SetAsideServer.NAME: Case(_set_aside, (_spawn,)),
    SendDisks.NAME: Case(lambda server, _: order(SendDisks, server.uuid, disks=_LINKS), (_spawn, _set_aside)),
    ReceiveDisks.NAME: Case(_receive),
    LandServer.NAME: Case(
        lambda server, _: order(LandServer, server.uuid, operation_id=_MOVE, server=server, disk_names=["disk"]),
        (_receive,),
    ),
    VacateServer.NAME: Case(lambda server, _: order(VacateServer, server.uuid), (_spawn,)),
    TakeBackServer.NAME: Case(
        lambda server, _: order(TakeBackServer, server.uuid, server=server), (_spawn, _set_aside)
    ),
    DropAside.NAME: Case(lambda server, _: order(DropAside, server.uuid), (_spawn, _set_aside)),
    SetInterfaces.NAME: Case(lambda server, _: order(SetInterfaces, server.uuid, server=server), (_spawn,)),
    SnapshotServer.NAME: Case(
        lambda server, place: order(SnapshotServer, server.uuid, image_id=IMAGE.id, upload_url=place), (_spawn,)
    ),
}


@dataclass
class Machine:
    """A host whose guests, taps, disks and fences outlive its agents."""

    folder: Path
    fake: FakeHost = field(default_factory=FakeHost)

    def agent(self, wire: Tripwire | None = None) -> Agent:
        """Start the agent, all of whose doors may be watched."""
        wire = wire or Tripwire()
        host = replace(
            self.fake.host,
            driver=wire.around(self.fake.driver),
            network=wire.around(self.fake.network),
            storage=wire.around(self.fake.storage),
        )
        fences = wire.around(FileFences(self.folder / "fences"), only={"save"})
        return Agent({HOST: Station(host, FileLocks(self.folder / "locks"), fences)})

    def seen(self) -> dict[str, Any]:
        """Return all that is on the host."""
        host = self.fake.host
        wire = residue(host).to_wire()
        return {**wire, "reported_at": 0, "power": host.driver.list_domains(), "images": host.storage.cached_images()}


def _send(agent: Agent, message: Order) -> dict[str, Any]:
    return carry_out(agent, message.NAME, message.to_wire())


def _prepared(folder: Path, case: Case, server: ServerSpec, place: str) -> Machine:
    machine = Machine(folder)
    agent = machine.agent()
    for make in case.before:
        assert _send(agent, make(server, place))["error_code"] == ""
    return machine


def _moments(folder: Path, case: Case, server: ServerSpec, place: str) -> tuple[list[str], dict[str, Any]]:
    """Return what the order does when nobody disturbs it, call by call, and how the host looks afterwards."""
    machine = _prepared(folder, case, server, place)
    wire = Tripwire()
    assert _send(machine.agent(wire), case.make(server, place))["error_code"] == ""
    return wire.calls, machine.seen()


def test_every_command_is_tried():
    assert set(CASES) == set(COMMANDS) == set(DUTIES)


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_order_that_is_repeated_after_a_kill_ends_as_if_there_had_been_none(name, is_after, tmp_path, image_server):
    case, server, place = CASES[name], server_spec(), image_server.place()
    calls, wanted = _moments(tmp_path / "undisturbed", case, server, place)
    assert calls
    for at, call in enumerate(calls, start=1):
        machine = _prepared(tmp_path / str(at), case, server, place)
        message = case.make(server, place)
        with pytest.raises(Killed):
            _send(machine.agent(Tripwire(at, is_after=is_after)), message)
        again = _send(machine.agent(), message)
        assert again["error_code"] == "", (at, call, again)
        assert machine.seen() == wanted, (at, call)


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_nothing_is_left_when_the_server_is_deleted_after_a_kill(name, is_after, tmp_path, image_server):
    case, server, place = CASES[name], server_spec(), image_server.place()
    calls, _ = _moments(tmp_path / "undisturbed", case, server, place)
    for at, call in enumerate(calls, start=1):
        machine = _prepared(tmp_path / str(at), case, server, place)
        message = case.make(server, place)
        with pytest.raises(Killed):
            _send(machine.agent(Tripwire(at, is_after=is_after)), message)
        agent = machine.agent()
        assert _send(agent, order(DestroyServer, server.uuid, is_final=True))["error_code"] == ""
        late = _send(agent, message)
        if DUTIES[name].is_exclusive and name != DestroyServer.NAME:
            assert late["error_code"] == "OrderRefused", (at, call)
        left = {**machine.seen(), "images": None}
        assert not any(value for key, value in left.items() if key not in ("host", "reported_at")), (at, call, left)
