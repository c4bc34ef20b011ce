"""Whatever the order, the number and the place of deliveries: one effect, and the rest refused and logged."""

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compute_agent.drivers.base import PowerState
from compute_agent.drivers.fake import FakeHypervisor
from compute_agent.tasks import Agent, Station, carry_out
from contracts.compute import (
    DestroyServer,
    PlugVifs,
    RebootServer,
    RebuildServer,
    ServerSpec,
    SetAsideServer,
    SpawnServer,
    StartServer,
    StopServer,
    TakeBackServer,
    VacateServer,
)
from contracts.envelope import Order
from tests.unit.compute_agent.orders import HOST, FakeHost, new_id, order, server_spec

_TAKES_SERVER = (SpawnServer, StartServer, RebootServer, RebuildServer, TakeBackServer, PlugVifs)
_MAKES = (SpawnServer, StartServer, RebootServer, RebuildServer)
_KINDS = st.sampled_from([*_MAKES, StopServer, PlugVifs, SetAsideServer, TakeBackServer, VacateServer, DestroyServer])


class CountingHypervisor(FakeHypervisor):
    """Counts what it is made to do."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.effects: list[str] = []

    def start(self, uuid):
        if self._domain(uuid).state is not PowerState.RUNNING:
            self.effects.append("start")
        super().start(uuid)

    def power_off(self, uuid):
        if self._domain(uuid).state is PowerState.RUNNING:
            self.effects.append("power_off")
        super().power_off(uuid)

    def undefine(self, uuid):
        if uuid in self._shelf.domains:
            self.effects.append("undefine")
        super().undefine(uuid)


@dataclass
class Site:
    """A host of fakes, a server, and the control plane's orders for it."""

    fake: FakeHost = field(default_factory=lambda: FakeHost(driver=CountingHypervisor(HOST)))
    server: ServerSpec = field(default_factory=server_spec)

    def __post_init__(self) -> None:
        self.agent = self.fake.agent()

    def order(self, kind: type[Order], number: int, attempt: int = 1, **values) -> Order:
        """Return an order of the operation of that number: a higher one began later."""
        if kind in _TAKES_SERVER:
            values["server"] = self.server
        if kind in (StopServer, SetAsideServer):
            values["graceful_seconds"] = 0
        operation_id = f"00000000-0000-0000-0000-{number:012}"
        fence = {"operation_id": operation_id, "attempt": attempt, "begun_at": 500.0 + number, **values}
        return order(kind, self.server.uuid, **fence)

    def deliver(self, message: Order) -> dict[str, object]:
        return carry_out(self.agent, message.NAME, message.to_wire())

    def seen(self) -> tuple[object, ...]:
        host = self.fake.host
        return (
            host.driver.list_domains(), host.storage.instances_with_disks(), host.storage.instances_aside(),
            host.network.plugged_ports(),
        )  # fmt: skip

    @property
    def is_empty(self) -> bool:
        return not any(self.seen())


@st.composite
def _histories(draw):
    """Operations in the order in which they began, as (kind, number of attempts), and deliveries as indices."""
    operations = draw(st.lists(st.tuples(_KINDS, st.integers(1, 3)), min_size=1, max_size=6))
    sent = [
        (kind, number, attempt)
        for number, (kind, most) in enumerate(operations, 1)
        for attempt in range(1, most + 1)
    ]
    deliveries = st.lists(st.integers(0, len(sent) - 1), max_size=20)
    return sent, draw(deliveries), draw(deliveries)


@settings(max_examples=300, deadline=None)
@given(_histories())
def test_the_end_is_what_the_newest_generation_wanted(history):
    sent, before, after = history
    site = Site()
    orders = [site.order(*one) for one in sent]
    for index in before:
        site.deliver(orders[index])
    newest = orders[-1]
    answer = site.deliver(newest)
    wanted, effects = site.seen(), list(site.fake.driver.effects)
    if answer["error_code"] == "":
        running = site.fake.driver.list_domains().get(site.server.uuid)
        if isinstance(newest, _MAKES):
            assert running is PowerState.RUNNING
        elif isinstance(newest, StopServer | DestroyServer | VacateServer | SetAsideServer):
            assert running is not PowerState.RUNNING
        for index in after:
            again = site.deliver(orders[index])
            assert again == answer or orders[index] != newest
        assert site.seen() == wanted
        assert site.fake.driver.effects == effects


@settings(max_examples=300, deadline=None)
@given(_histories(), st.integers(0, 20))
def test_no_guest_comes_back_after_its_final_destroy(history, when):
    sent, before, after = history
    site = Site()
    orders = [site.order(*one) for one in sent]
    for index in before[:when]:
        site.deliver(orders[index])
    end = site.order(DestroyServer, 100, is_final=True, begun_at=500.0 + when % (len(sent) + 2))
    assert site.deliver(end)["error_code"] == ""
    for index in [*before[when:], *after]:
        site.deliver(orders[index])
        assert site.is_empty
    assert site.deliver(end)["error_code"] == ""
    assert site.is_empty


@settings(max_examples=100, deadline=None)
@given(_histories(), st.lists(st.floats(900, 1_200), min_size=1))
def test_nothing_late_or_for_another_host_changes_anything(history, times):
    sent, before, after = history
    site = Site()
    orders = [site.order(*one) for one in sent]
    for index in before:
        site.deliver(orders[index])
    wanted = site.seen()
    for number, index in enumerate(after):
        kind, operation, attempt = sent[index]
        site.fake.clock.now = max(times[number % len(times)], site.fake.clock.now)
        late = site.order(kind, operation, attempt, not_after=site.fake.clock.now - 0.1)
        astray = site.order(kind, operation + 10, attempt, host="host-2", not_after=2_000.0)
        for message in (late, astray):
            assert site.deliver(message)["error_code"] == "OrderRefused"
    assert site.seen() == wanted


@pytest.mark.parametrize("times", [2, 5])
@pytest.mark.parametrize("kind", [SpawnServer, RebootServer, RebuildServer, StopServer, DestroyServer])
def test_every_order_twice_and_five_times_at_once_has_one_effect(kind, times):
    once, often = Site(), Site()
    for site, count in ((once, 1), (often, times)):
        if kind is not SpawnServer:
            site.deliver(site.order(SpawnServer, 1))
        site.fake.driver.effects.clear()
        message = site.order(kind, 2)
        answers = _at_once(lambda site=site, message=message: site.deliver(message), count)
        assert all(answer == answers[0] and answer["error_code"] == "" for answer in answers)
    assert often.fake.driver.effects == once.fake.driver.effects


def test_old_and_new_generations_at_once_end_with_the_new():
    for _ in range(20):
        site = Site()
        build = new_id()
        spawns = [
            order(SpawnServer, site.server.uuid, server=site.server, operation_id=build, attempt=attempt)
            for attempt in (1, 2, 3)
        ]
        threads = [threading.Thread(target=site.deliver, args=(one,)) for one in spawns * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert site.fake.driver.effects == ["start"]
        assert site.deliver(spawns[0])["error_code"] == "OrderRefused"
        assert site.deliver(spawns[1])["error_code"] == "OrderRefused"
        assert site.deliver(spawns[2])["error_code"] == ""


def test_what_is_refused_is_logged_with_its_reason(caplog):
    site = Site()
    site.deliver(site.order(SpawnServer, 5))
    caplog.clear()
    site.deliver(site.order(StopServer, 4))
    assert "later operation" in caplog.text
    assert site.server.uuid in caplog.text


def test_clean_up_of_an_old_build_does_not_touch_what_a_newer_operation_made():
    site = Site()
    site.deliver(site.order(SpawnServer, 5))
    assert site.deliver(site.order(DestroyServer, 4))["error_code"] == "OrderRefused"
    assert site.deliver(site.order(DestroyServer, 4, is_final=True))["error_code"] == ""
    assert site.is_empty


def test_an_agent_that_speaks_for_others_too_gives_each_its_own():
    here, there = Site(), Site()
    hosts = {HOST: here.fake.host, "host-2": FakeHost(driver=FakeHypervisor("host-2")).host}
    stations = {name: Station(host, here.agent.stations[HOST].locks, here.agent.stations[HOST].fences)
                for name, host in hosts.items()}  # fmt: skip
    agent = Agent(stations)
    message = here.order(SpawnServer, 1, host="host-3")
    assert carry_out(agent, message.NAME, message.to_wire())["error_code"] == "OrderRefused"
    assert here.is_empty
    assert there.is_empty


def _at_once(call, count):
    answers, gate = [], threading.Barrier(count)

    def run():
        gate.wait()
        answers.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize(("verb", "effects"), [("define", []), ("start", ["start", "power_off"])])
def test_no_guest_runs_after_the_deadline_of_the_order_that_should_have_started_it(verb, effects):
    site = Site()
    quick = getattr(site.fake.driver, verb)

    def slow(what):
        quick(what)
        site.fake.clock.now += 240

    setattr(site.fake.driver, verb, slow)
    assert site.deliver(site.order(SpawnServer, 1))["error_code"] == "DeadlineExceeded"
    assert site.fake.driver.effects == effects
