"""Redis is wiped, stopped, emptied or full: nothing is lost, nothing doubled, and reads go on."""

import contextlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from host import supervision
from tests.chaos.real.bursts import Burst
from tests.chaos.real.client import SERVERS
from tests.chaos.real.conftest import IS_FULL
from tests.chaos.real.requests import GONE, REQUESTS, Stage
from tests.fixtures.clouds import wait_until

SERVERS_IN_BURST = 40 if IS_FULL else 12
AWAY_SECONDS = 60 if IS_FULL else 8
SETTLED_SECONDS = 60


@pytest.fixture
def cloud(fake_cloud):
    fake_cloud.wait_until_whole()
    return fake_cloud


def flush(cloud):
    for _ in range(3):
        with contextlib.closing(cloud.redis()) as redis:
            redis.flushall()
        time.sleep(0.3)


def stay_away(cloud):
    with _stopped(cloud):
        _read_on(cloud, AWAY_SECONDS)


def lose_everything(cloud):
    with _stopped(cloud):
        shutil.rmtree(cloud.state_dir / "redis" / "appendonlydir")


def be_full(cloud):
    with contextlib.closing(cloud.redis()) as redis:
        redis.config_set("maxmemory", 1)
        try:
            _read_on(cloud, AWAY_SECONDS)
        finally:
            redis.config_set("maxmemory", 0)


EVENTS = {"wiped three times": flush, "stopped": stay_away, "restarted without its data": lose_everything,
          "full": be_full}


@contextlib.contextmanager
def _stopped(cloud):
    supervision.stop_process(cloud.settings, "redis")
    try:
        yield
    finally:
        with supervision._server(cloud.settings) as server:
            server.startProcess("redis")


def _read_on(cloud, seconds):
    """Read as long as Redis is away: every answer is 200."""
    end = time.monotonic() + seconds
    answers = []
    while time.monotonic() < end:
        paths = (f"{SERVERS}/detail", "/image/v2/images", "/network/v2.0/ports")
        answers += [cloud.client.call("GET", path, timeout=20) for path in paths]
        time.sleep(0.2)
    slowest = max(answer.seconds for answer in answers)
    print(f"\n{len(answers)} GETs meanwhile, the slowest took {slowest:.2f} s")
    assert {answer.status for answer in answers} == {200}, [str(one) for one in answers if one.status != 200]


@pytest.mark.parametrize("what", EVENTS if IS_FULL else ("stopped", "full"))
def test_a_burst_survives(cloud, what):
    burst = Burst(cloud, "redis-" + what.replace(" ", "-"), SERVERS_IN_BURST)
    began = time.monotonic()
    burst.run(lambda: EVENTS[what](cloud), after=SERVERS_IN_BURST // 2)
    back = time.monotonic()
    slowest = max(answer.seconds for answer in burst.answers)
    statuses = burst.settle(SETTLED_SECONDS)
    print(
        f"\nRedis {what} in a burst of {SERVERS_IN_BURST}: {dict(statuses)} {time.monotonic() - back:.1f} s after the"
        f" last was accepted, {back - began:.1f} s after the first; the slowest POST took {slowest:.1f} s"
    )
    assert statuses == {"ACTIVE": SERVERS_IN_BURST}
    assert all(len(cloud.homes(id)) == 1 for id in burst.ids)
    burst.delete()
    cloud.wait_for_content()


def test_it_is_wiped_while_servers_change(cloud):
    """Resized, rebuilt, copied and deleted at the same time."""
    workflows = ("resize", "rebuild", "snapshot", "delete")
    stages = {name: Stage(cloud.client, f"wiped-{name}", None) for name in workflows}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda stage: (stage.create(), stage.reach("ACTIVE")), stages.values()))
        answers = list(pool.map(lambda name: stages[name].ask(name), workflows))
    assert {answer.status for answer in answers} == {202}, [str(answer) for answer in answers]
    flush(cloud)
    began = time.monotonic()
    for name, stage in stages.items():
        wanted = REQUESTS[name].status
        wait_until(lambda stage=stage, wanted=wanted: stage.status() == wanted, f"{name} to end", SETTLED_SECONDS)
    print(f"\nwiped while servers change: all as asked {time.monotonic() - began:.1f} s later")
    images = cloud.client.call("GET", "/image/v2/images?name=wiped-snapshot").body["images"]
    assert [one["status"] for one in images] == ["active"]
    assert [len(cloud.homes(stage.uuid)) for stage in stages.values()] == [1, 1, 1, 0]
    for stage in stages.values():
        if stage.status() != GONE:
            cloud.client.delete_at_once(stage.uuid)
    cloud.wait_for_content()
