"""A deaf agent ends; one that waits for Redis, or is busy, does not."""

import time

import pytest

from compute_agent.watchdog import Line, Watchdog


@pytest.fixture
def given_up():
    return []


def _watchdog(given_up, *, is_up=True, is_busy=False, call=lambda: None):
    line = Line(call, lambda: is_up, lambda: is_busy, lambda: given_up.append(1))
    return Watchdog(line, every_seconds=1, limit_seconds=0.02)


def test_deaf_agent_gives_up(given_up):
    watchdog = _watchdog(given_up)
    time.sleep(0.03)
    watchdog.check()
    assert given_up


def test_agent_that_hears_goes_on(given_up):
    watchdog = _watchdog(given_up)
    time.sleep(0.03)
    watchdog.hear()
    watchdog.check()
    assert not given_up


def _refuse():
    raise ConnectionError("refused")


@pytest.mark.parametrize("reason", [{"is_up": False}, {"is_busy": True}, {"call": _refuse}])
def test_silence_with_another_reason_is_no_deafness(given_up, reason):
    watchdog = _watchdog(given_up, **reason)
    time.sleep(0.03)
    watchdog.check()
    assert not given_up
