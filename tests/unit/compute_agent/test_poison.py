"""An order that kills its agent again and again is given up with a named reason, and no other is blamed for it."""

import threading
from dataclasses import replace

import pytest

from compute_agent.drivers.fault_plan import Fault
from compute_agent.errors import Poison
from compute_agent.fences import FileFences, MemoryFences, admit, let_go, remember
from compute_agent.tasks import DUTIES
from compute_agent.tries import MOST, Beginning
from contracts.compute import REMOVE_RESIDUE, DestroyServer, PrepareImage, SpawnServer, StopServer
from tests.unit.compute_agent.orders import IMAGE, new_id, order, server_spec
from tests.unit.compute_agent.test_kills import CASES, Machine, _moments, _prepared, _send
from tests.unit.compute_agent.tripwire import Killed, Tripwire

pytest_plugins = ["tests.fixtures.image_server"]
REPEATED = sorted(name for name, duty in DUTIES.items() if duty.is_repeated and duty.is_of_instance)


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryFences() if request.param == "memory" else FileFences(tmp_path)


def last_effect(calls: list[str]) -> int:
    """The number of the last call that is no record: the killer has begun, and is not done."""
    return max(at for at, call in enumerate(calls, start=1) if call != "save")


@pytest.mark.parametrize("name", REPEATED)
def test_an_order_that_kills_its_agent_three_times_is_given_up(name, tmp_path, image_server):
    case, server, place = CASES[name], server_spec(), image_server.place()
    calls, _ = _moments(tmp_path / "undisturbed", case, server, place)
    machine = _prepared(tmp_path / "poison", case, server, place)
    message = case.make(server, place)
    for _ in range(MOST):
        # A record that is repeated is one call less, so the killer is named, not numbered.
        with pytest.raises(Killed):
            _send(machine.agent(Poisoned(calls[last_effect(calls) - 1])), message)
    answer = _send(machine.agent(Poisoned(calls[last_effect(calls) - 1])), message)
    assert answer["error_code"] == "Poison"
    assert "3 processes" in answer["detail"]
    # Nothing stands in the way of what comes next.
    assert _send(machine.agent(), order(DestroyServer, server.uuid, is_final=True, begun_at=1.0))["error_code"] == ""


class Poisoned(Tripwire):
    """Kills whoever calls this verb, every time."""

    def __init__(self, verb: str) -> None:
        super().__init__()
        self._verb = verb

    def pass_through(self, name, call, *args, **kwargs):
        if name == self._verb:
            raise Killed
        return super().pass_through(name, call, *args, **kwargs)


def test_a_process_that_lives_is_not_counted_however_often_it_begins(store):
    stop = order(StopServer, new_id())
    for _ in range(5):
        assert admit(stop, store, Beginning("me", 9.0)) is None


def test_three_that_died_are_enough_and_a_failure_or_an_answer_clears_them(store):
    for end in (let_go, lambda message, store: remember(message, {}, store)):
        stop = order(StopServer, new_id(), begun_at=1.0)
        for process in "ab":
            admit(stop, store, Beginning(process, 9.0))
        end(stop, store)
        assert store.load(stop.instance_uuid).tries == {}
    stop = order(StopServer, new_id(), begun_at=1.0)
    for process in "abc":
        admit(stop, store, Beginning(process, 9.0))
    with pytest.raises(Poison):
        admit(stop, store, Beginning("d", 9.0))
    assert admit(order(StopServer, stop.instance_uuid, begun_at=2.0), store, Beginning("d", 9.0)) is None


def test_deaths_of_long_ago_are_forgotten(store):
    uuid = new_id()
    for process in "abc":
        admit(order(DestroyServer, uuid), store, Beginning(process, 9.0))
    assert admit(order(DestroyServer, uuid), store, Beginning("d", 9.0 + 3601)) is None


def test_what_belongs_to_no_operation_is_the_same_order_every_time(store):
    """What removes residue comes under another name with every report."""
    uuid = new_id()
    for at, process in enumerate("abc", start=1):
        admit(order(DestroyServer, uuid, step=REMOVE_RESIDUE, begun_at=float(at)), store, Beginning(process, 9.0))
    with pytest.raises(Poison):
        admit(order(DestroyServer, uuid, step=REMOVE_RESIDUE, begun_at=4.0), store, Beginning("d", 9.0))
    assert admit(order(DestroyServer, uuid, begun_at=9.0), store, Beginning("d", 9.0)) is None


def test_suspects_run_one_at_a_time_so_that_none_dies_with_another(tmp_path):
    """Two orders that died together twice: carried out one after the other, only the guilty one is given up."""
    machine = Machine(tmp_path)
    guilty, innocent = (order(SpawnServer, one.uuid, server=one) for one in (server_spec(), server_spec(ports=[])))
    for _ in range(2):
        agent = machine.agent(Poisoned("create_disks"))
        for message in (guilty, innocent):
            with pytest.raises(Killed):
                _send(agent, message)
    agent = machine.agent()
    (station,) = agent.stations.values()
    inside, seen = [], []

    def create_disks(server):
        inside.append(server.uuid)
        seen.append(len(inside))
        threading.Event().wait(0.05)
        machine.fake.storage.create_disks(server)
        inside.remove(server.uuid)

    storage = Overlaid(station.host.storage, create_disks=create_disks)
    agent = replace(agent, stations={"host-1": replace(station, host=replace(station.host, storage=storage))})
    answers = []
    threads = [
        threading.Thread(target=lambda one=one: answers.append(_send(agent, one))) for one in (guilty, innocent)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one["error_code"] for one in answers] == ["", ""]
    assert seen == [1, 1]


class Overlaid:
    """A driver with some verbs of the test's own."""

    def __init__(self, driver, **verbs) -> None:
        self._driver, self._verbs = driver, verbs

    def __getattr__(self, name):
        return self._verbs.get(name) or getattr(self._driver, name)


@pytest.mark.parametrize("error", ["", "no luck"])
def test_what_runs_beside_leaves_no_record_when_it_ends(tmp_path, error):
    machine = Machine(tmp_path)
    if error:
        machine.fake.storage.faults.add(Fault(verb="prepare_image", error=error))
    message = order(PrepareImage, new_id(), image=IMAGE)
    assert bool(_send(machine.agent(), message)["error_code"]) is bool(error)
    assert not (tmp_path / "fences" / f"{message.operation_id}.json").exists()
