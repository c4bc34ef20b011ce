"""A deaf agent ends, and one whose threads hang; one that waits for Redis, or is busy, does not."""

import threading
import time
from types import SimpleNamespace

import pytest

from compute_agent.settings import Settings
from compute_agent.watchdog import Line, Watchdog
from compute_agent.workload import Workload


@pytest.fixture
def given_up():
    return []


def _watchdog(given_up, *, is_up=True, is_busy=False, is_stuck=False, call=lambda: None, every_seconds=1):
    line = Line(call, lambda: is_up, lambda: is_busy, lambda: is_stuck, lambda: given_up.append(1))
    return Watchdog(line, every_seconds, limit_seconds=0.02)


@pytest.fixture
def clock(monkeypatch):
    """The watchdog's time, which stands still unless it is put forward."""
    found = SimpleNamespace(now=0.0)
    monkeypatch.setattr("compute_agent.watchdog.time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def test_deaf_agent_gives_up(given_up, clock):
    watchdog = _watchdog(given_up)
    clock.now += 0.03
    watchdog.look()
    assert given_up


def test_agent_that_hears_goes_on(given_up, clock):
    watchdog = _watchdog(given_up)
    clock.now += 0.03
    watchdog.hear()
    watchdog.look()
    assert not given_up


@pytest.mark.parametrize("reason", [{"is_up": False}, {"is_busy": True}])
def test_silence_with_another_reason_is_no_deafness(given_up, clock, reason):
    watchdog = _watchdog(given_up, **reason)
    clock.now += 0.03
    watchdog.look()
    assert not given_up


def test_agent_whose_threads_hang_gives_up_however_busy_they_are(given_up):
    _watchdog(given_up, is_busy=True, is_stuck=True).look()
    assert given_up


def test_call_that_hangs_in_a_dead_connection_does_not_keep_the_watch(given_up):
    hangs = threading.Event()
    watchdog = _watchdog(given_up, call=lambda: hangs.wait(100), every_seconds=0.1)
    watchdog.start()
    end = time.monotonic() + 60
    while not given_up and time.monotonic() < end:
        time.sleep(0.01)
    watchdog.stop()
    hangs.set()
    assert given_up


def test_deafness_is_found_within_three_calls():
    settings = Settings.from_environment({"NOVELLA_STATE_DIR": "/nowhere"})
    looks_every = settings.echo_seconds / 3
    assert settings.echo_limit_seconds + looks_every <= 45


def test_workload_knows_who_should_have_ended():
    seconds = iter([0.0, 0.0, 5.0, 20.0])
    workload = Workload(lambda: next(seconds))
    with workload.one_more(10), workload.one_more(60):
        assert workload.count == 2
        assert workload.overdue == 0
        assert workload.overdue == 1
    assert workload.count == 0
