"""How long a kill -9 of each process keeps work waiting: what was under way, and what is asked for afterwards."""

import os
import time

import pytest

from tests.chaos.real.bursts import Burst
from tests.chaos.real.conftest import DAWDLE, IS_FULL
from tests.chaos.real.requests import Stage

RECOVERY_SECONDS = 30
SERVERS = 12
PROCESSES = ("api", "conductor", "scheduler", "beat", "agent", "redis", "postgres")
pytestmark = pytest.mark.skipif(not IS_FULL, reason="measured by make chaos")


@pytest.fixture
def slow_cloud(fake_cloud):
    fake_cloud.wait_until_whole()
    fake_cloud.trouble({**DAWDLE, "delay_seconds": 1.0})
    yield fake_cloud
    fake_cloud.trouble(DAWDLE)


@pytest.mark.parametrize("process", PROCESSES)
def test_work_goes_on_soon(slow_cloud, process):
    burst = Burst(slow_cloud, f"recovery-{process}", SERVERS)
    new = Stage(slow_cloud.client, f"new-after-{process}", None)
    clock = Clock(slow_cloud, new)
    burst.run(lambda: clock.strike(process), after=SERVERS - 2)
    clock.watch()
    print(f"\nrecovery after kill -9 of {process}: {clock} (load {os.getloadavg()[0]:.1f})")
    assert burst.settle(60) == {"ACTIVE": SERVERS}
    assert clock.all_seconds <= RECOVERY_SECONDS
    assert clock.new_seconds <= RECOVERY_SECONDS
    burst.delete()
    slow_cloud.client.delete_at_once(new.uuid)
    slow_cloud.wait_for_content()


class Clock:
    """Times from the kill to the first and the last progress of what was under way, and to a new server."""

    def __init__(self, cloud, new):
        self._cloud = cloud
        self._new = new
        self._before = {}
        self.at = self.first_seconds = self.all_seconds = self.new_seconds = 0.0

    def strike(self, process):
        self._before = self._cloud.rows.under_way()
        self.at = self._cloud.strike(process)

    def watch(self):
        assert self._before, "nothing was under way"
        self._new.create()
        while not (self.all_seconds and self.new_seconds):
            seconds = time.monotonic() - self.at
            assert seconds < 3 * RECOVERY_SECONDS, f"it does not go on: {self}"
            self._note(seconds)
            time.sleep(0.05)

    def _note(self, seconds):
        now = self._cloud.rows.standings(list(self._before))
        moved = {id for id, standing in now.items() if standing != self._before[id]}
        if moved and not self.first_seconds:
            self.first_seconds = seconds
        if len(moved) == len(self._before) and not self.all_seconds:
            self.all_seconds = seconds
        if not self.new_seconds and self._new.status() == "ACTIVE":
            self.new_seconds = seconds

    def __str__(self):
        return (
            f"the first of {len(self._before)} operations under way went on after {self.first_seconds:.1f} s, the last"
            f" after {self.all_seconds:.1f} s, a new server was ACTIVE after {self.new_seconds:.1f} s"
        )
