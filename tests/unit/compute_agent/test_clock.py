"""Orders are judged by the broker's clock, whatever the host's own clock is set to."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from compute_agent.clock import BrokerClock


class Clocks:
    """The broker's clock, the host's, and the time that really passes."""

    def __init__(self, wall_ahead: float = 0.0) -> None:
        self.passed = 100.0
        self.broker_ahead = 1_000_000.0
        self.wall_ahead = wall_ahead
        self.round_seconds = 0.0
        self.error: Exception | None = None

    def read(self) -> float:
        if self.error:
            raise self.error
        self.passed += self.round_seconds
        return self.passed + self.broker_ahead - self.round_seconds / 2

    @property
    def true_time(self) -> float:
        return self.passed + self.broker_ahead

    def clock(self) -> BrokerClock:
        return BrokerClock(self.read, lambda: self.true_time + self.wall_ahead, lambda: self.passed)


@pytest.mark.parametrize("wall_ahead", [600.0, -600.0])
def test_host_ten_minutes_off_judges_by_the_brokers_time_and_says_how_far_it_is_off(wall_ahead, caplog):
    clocks = Clocks(wall_ahead)
    clock = clocks.clock()
    assert clock.now() == pytest.approx(clocks.true_time)
    assert clock.offset_seconds() == pytest.approx(wall_ahead)
    assert "off" in caplog.text


def test_jumps_of_the_hosts_clock_change_nothing():
    clocks = Clocks()
    clock = clocks.clock()
    clock.measure()
    for wall_ahead in (600.0, -600.0, 86_400.0):
        clocks.wall_ahead = wall_ahead
        clocks.passed += 5
        assert clock.now() == pytest.approx(clocks.true_time)
    assert clock.offset_seconds() == pytest.approx(86_400.0)


def test_broker_that_is_away_is_asked_again_and_meanwhile_the_hosts_clock_has_to_do(caplog):
    clocks = Clocks(wall_ahead=7.0)
    clock = clocks.clock()
    clocks.error = RedisConnectionError("away")
    assert clock.now() == clocks.true_time + 7.0
    assert clock.now() == clocks.true_time + 7.0
    assert caplog.text.count("own clock") == 1
    assert clock.offset_seconds() == 0.0
    with pytest.raises(RedisConnectionError):
        clock.measure()
    clocks.error = None
    clocks.passed += 6
    assert clock.now() == pytest.approx(clocks.true_time)


def test_broker_that_keeps_its_time_secret_is_not_taken_for_lost(caplog):
    clocks = Clocks()
    clock = clocks.clock()
    clocks.error = NoPermissionError("no permissions to run the 'time' command")
    clock.measure()
    assert clock.now() == clocks.true_time
    assert "does not tell its time" in caplog.text


def test_slow_answer_does_not_replace_a_good_measurement():
    clocks = Clocks()
    clock = clocks.clock()
    clock.measure()
    clocks.broker_ahead += 50
    clocks.round_seconds = 30.0
    clock.measure()
    assert clock.now() == pytest.approx(clocks.true_time - 50)
    clocks.round_seconds = 0.5
    clock.measure()
    assert clock.now() == pytest.approx(clocks.true_time)


def test_stamps_never_go_back_even_when_the_brokers_clock_does():
    clocks = Clocks()
    clock = clocks.clock()
    stamps = [clock.stamp(), clock.stamp()]
    clocks.broker_ahead -= 200
    clock.measure()
    stamps += [clock.stamp(), clock.stamp()]
    assert stamps == sorted(set(stamps))
    assert clock.now() == pytest.approx(clocks.true_time)
