"""A guest of whose making nobody heard is taken down by its host before another host may make it."""

import dataclasses

import pytest

from compute_agent.drivers.base import PowerState
from compute_agent.fences import MemoryFences
from compute_agent.locks import MemoryLocks
from compute_agent.silence import LONGEST_SECONDS, Silence
from compute_agent.tasks import Agent, Station, carry_out
from compute_agent.unheard import Unheard
from contracts.compute import COMMANDS, SpawnServer, StartServer
from contracts.errors import ErrorCode
from tests.unit.compute_agent.orders import HOST, FakeClock, FakeHost, order, server_spec

LASTS = COMMANDS[SpawnServer.NAME].timing.deadline_seconds


class Scene:
    """A host that was heard a moment ago, and one build there."""

    def __init__(self):
        self.clock = FakeClock(100_000.0)
        self.silence = Silence(clock=self.clock.time)
        self.silence.end()
        self.driver = FakeHost(clock=self.clock).driver
        host = dataclasses.replace(FakeHost(clock=self.clock, driver=self.driver).host, silence=self.silence)
        self.agent = Agent({HOST: Station(host, MemoryLocks(), MemoryFences())})
        self.unheard = Unheard(self.agent)
        self.server = server_spec()
        spawn = order(SpawnServer, self.server.uuid, server=self.server, not_after=self.clock.now + LASTS)
        self.wire = spawn.to_wire()

    def build(self):
        self.unheard.begin(SpawnServer.NAME, self.wire)
        return carry_out(self.agent, SpawnServer.NAME, self.wire)

    def look_after(self, seconds):
        self.clock.now += seconds
        self.unheard.look()
        return self.driver.power_state(self.server.uuid)


@pytest.fixture
def scene():
    found = Scene()
    assert found.build()["error_code"] == ""
    return found


def test_a_guest_of_which_nobody_heard_is_stopped_before_its_host_counts_as_down(scene):
    assert scene.look_after(LONGEST_SECONDS - 1) is PowerState.RUNNING
    assert scene.look_after(2) is PowerState.SHUTDOWN


def test_one_that_was_heard_of_runs_on(scene):
    scene.unheard.heard(SpawnServer.NAME, scene.wire)
    assert scene.look_after(LASTS + LONGEST_SECONDS) is PowerState.RUNNING


def test_one_that_was_told_again_and_heard_of_runs_on(scene):
    scene.build()
    scene.unheard.heard(SpawnServer.NAME, scene.wire)
    assert scene.look_after(LONGEST_SECONDS + 1) is PowerState.RUNNING


def test_an_answer_that_came_too_late_for_the_order_counts_as_unheard(scene):
    for _ in range(int(LASTS // 10)):  # the reports get through all the time
        scene.clock.now += 10
        scene.silence.end()
    assert scene.look_after(1) is PowerState.SHUTDOWN


def test_the_order_that_comes_again_is_not_answered_as_if_the_guest_ran(scene):
    scene.look_after(LONGEST_SECONDS + 1)
    scene.silence.end()
    assert scene.build()["error_code"] == ErrorCode.ORDER_REFUSED


def test_the_power_that_was_cut_stays_the_owners_afterwards(scene):
    scene.look_after(LONGEST_SECONDS + 1)
    scene.driver.start(scene.server.uuid)
    assert scene.look_after(60) is PowerState.RUNNING


@pytest.mark.parametrize("wire", [None, 7, {}, {"instance_uuid": []}])
def test_what_is_no_order_is_nothing_to_it(scene, wire):
    scene.unheard.begin(SpawnServer.NAME, wire)
    scene.unheard.heard(SpawnServer.NAME, wire)
    scene.unheard.begin(StartServer.NAME, wire)
    scene.unheard.look()
