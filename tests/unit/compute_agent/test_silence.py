"""A host that was silent for so long that it counted as down begins nothing that it was told before."""

import dataclasses

import pytest

from compute_agent.drivers.base import PowerState
from compute_agent.errors import OrderRefused
from compute_agent.operations.set_aside import set_aside
from compute_agent.operations.spawn import spawn
from compute_agent.operations.transfer import land
from compute_agent.silence import LONGEST_SECONDS, Silence
from contracts.compute import COMMANDS, DestroyServer, LandServer, SetAsideServer, SpawnServer, StartServer
from tests.unit.compute_agent.orders import FakeClock, FakeHost, new_id, order, server_spec

LASTS = COMMANDS[SpawnServer.NAME].timing.deadline_seconds


@pytest.fixture
def clock():
    return FakeClock(100_000.0)


def _order(sent_at):
    server = server_spec()
    return order(SpawnServer, server.uuid, server=server, not_after=sent_at + LASTS, operation_id=new_id())


def test_who_is_heard_all_along_refuses_nothing(clock):
    silence = Silence(clock=clock.time)
    for _ in range(20):
        silence.end()
        clock.now += 10
    silence.check(_order(sent_at=clock.now - LASTS + 1))


def test_who_never_spoke_refuses_nothing(clock):
    Silence(clock=clock.time).check(_order(sent_at=clock.now))


def test_during_a_long_silence_everything_is_refused(clock):
    silence = Silence(clock=clock.time)
    silence.end()
    clock.now += LONGEST_SECONDS + 1
    with pytest.raises(OrderRefused):
        silence.check(_order(sent_at=clock.now))


def test_after_it_what_was_sent_before_is_refused_and_what_is_new_is_not(clock):
    silence = Silence(clock=clock.time)
    silence.end()
    clock.now += LONGEST_SECONDS + 1
    silence.end()
    with pytest.raises(OrderRefused):
        silence.check(_order(sent_at=clock.now - 1))
    silence.check(_order(sent_at=clock.now + 1))


def test_a_short_pause_is_none(clock):
    silence = Silence(clock=clock.time)
    silence.end()
    clock.now += LONGEST_SECONDS - 1
    silence.check(_order(sent_at=clock.now - 30))


def test_it_outlives_the_process(clock, tmp_path):
    path = tmp_path / "spoken" / "host.json"
    Silence(path, clock.time).end()
    clock.now += LONGEST_SECONDS + 1
    restarted = Silence(path, clock.time)
    with pytest.raises(OrderRefused):
        restarted.check(_order(sent_at=clock.now - 30))
    restarted.end()
    with pytest.raises(OrderRefused):
        restarted.check(_order(sent_at=clock.now - 30))


def test_a_file_that_cannot_be_read_is_as_good_as_none(clock, tmp_path):
    path = tmp_path / "host.json"
    path.write_text("{")
    Silence(path, clock.time).check(_order(sent_at=clock.now))


def _speak_again(clock, fake):
    """Return the host after a silence so long that it counted as down, speaking again, and when it was last told."""
    silence = Silence(clock=clock.time)
    silence.end()
    told_at = clock.now + 1
    clock.now += LONGEST_SECONDS + 1
    silence.end()
    return dataclasses.replace(fake.host, silence=silence), told_at


def test_a_server_is_not_set_aside_for_a_move_that_was_given_up(clock):
    """A host that had been cut off ended a guest that nobody took over."""
    fake, server = FakeHost(clock=clock), server_spec()
    spawn(fake.host, order(SpawnServer, server.uuid, server=server, not_after=clock.now + LASTS))
    host, told_at = _speak_again(clock, fake)
    lasts = COMMANDS[SetAsideServer.NAME].timing.deadline_seconds
    with pytest.raises(OrderRefused):
        set_aside(host, order(SetAsideServer, server.uuid, graceful_seconds=0, not_after=told_at + lasts))
    assert fake.driver.power_state(server.uuid) is PowerState.RUNNING
    assert fake.storage.instances_aside() == []


def test_a_server_does_not_land_after_its_old_host_may_have_taken_it_back(clock):
    """A host that lost its power while a server landed made a guest of it when it was back."""
    fake, server = FakeHost(clock=clock), server_spec()
    host, told_at = _speak_again(clock, fake)
    lasts = COMMANDS[LandServer.NAME].timing.deadline_seconds
    with pytest.raises(OrderRefused):
        land(host, order(LandServer, server.uuid, server=server, disk_names=["disk"], not_after=told_at + lasts))
    assert fake.driver.list_domains() == fake.network.plugged_ports() == {}


def test_a_machine_that_lost_its_power_does_nothing_that_it_was_told_before(clock, tmp_path):
    """Its server may have been evacuated at once; a destroy is never too late, and another process knows it as well."""
    server, lasts = server_spec(), COMMANDS[StartServer.NAME].timing.deadline_seconds
    before = order(StartServer, server.uuid, server=server, not_after=clock.now + lasts)
    Silence(tmp_path / "spoken.json", clock.time, "first").check_boot(before)
    clock.now += 5
    for _ in range(2):
        silence = Silence(tmp_path / "spoken.json", clock.time, "second")
        with pytest.raises(OrderRefused):
            silence.check_boot(before)
        clock.now += 5
    later = order(StartServer, server.uuid, server=server, not_after=clock.now + lasts)
    silence.check_boot(later)
    silence.check_boot(order(DestroyServer, server.uuid, not_after=clock.now + 1))
