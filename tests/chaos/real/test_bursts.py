"""Bursts of servers while every process is killed in turn, counted as Nova's were: none stuck, none in ERROR."""

import os
import time

import pytest

from tests.chaos.real.bursts import Burst
from tests.chaos.real.clouds import ChaosCloud
from tests.chaos.real.conftest import DAWDLE, IS_FULL
from tests.chaos.real.postgres import PostgresServer
from tests.fixtures.clouds import wait_until

SERVERS = 100
HOSTS = 20
MORTALS = 10  # hosts whose agents die and never come back
SETTLED_SECONDS = 120  # Nova's were counted then
PROCESSES = ("api", "conductor", "scheduler", "beat", "agent", "redis", "postgres")
pytestmark = pytest.mark.skipif(not IS_FULL, reason="in make test tests/fakecloud/test_crashes.py does")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    one = ChaosCloud(tmp_path_factory.mktemp("bursts"), "fake", HOSTS, postgres=PostgresServer())
    try:
        one.up()
        one.trouble(DAWDLE)
        yield one
    finally:
        one.end()


def _in_turn(cloud):
    for process in PROCESSES:
        cloud.strike(process)
        time.sleep(1)


EVENTS = {process: lambda cloud, process=process: cloud.strike(process) for process in PROCESSES}


@pytest.mark.parametrize("what", [*EVENTS, "each in turn"])
def test_a_burst_survives(cloud, what):
    cloud.wait_until_whole()
    burst = Burst(cloud, "burst-" + what.replace(" ", "-"), SERVERS)
    began = time.monotonic()
    burst.run(lambda: EVENTS.get(what, _in_turn)(cloud), after=SERVERS // 2, patience=60)
    _count(cloud, burst, f"kill -9 of {what}", began)


def test_agents_that_never_return(cloud):
    cloud.wait_until_whole()
    mortals = [cloud.start_agent(f"mortal-{number}") for number in range(MORTALS)]
    wait_until(lambda: _hosts(cloud) == HOSTS + MORTALS, "the hosts that will die", 60)
    burst = Burst(cloud, "burst-without-agents", SERVERS)
    began = time.monotonic()

    def die():
        for process in mortals:
            process.end()

    burst.run(die, after=SERVERS // 2)
    _count(cloud, burst, f"kill -9 of {MORTALS} of {HOSTS + MORTALS} agents for ever", began)


def _count(cloud, burst, what, began):
    statuses = burst.settle(SETTLED_SECONDS)
    print(
        f"\n{what} in a burst of {SERVERS}: {dict(statuses)} {time.monotonic() - began:.1f} s after it began"
        f" (load {os.getloadavg()[0]:.1f})"
    )
    homeless = [id for id in burst.ids if len(cloud.homes(id)) != 1]
    burst.delete()
    assert statuses == {"ACTIVE": SERVERS}
    assert not homeless
    cloud.wait_for_content(120)


def _hosts(cloud):
    services = cloud.admin.call("GET", "/compute/v2.1/os-services?binary=nova-compute").body["services"]
    return sum(one["state"] == "up" for one in services)
