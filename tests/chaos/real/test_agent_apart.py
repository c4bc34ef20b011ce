"""A host is cut off: what it was told is given to others, and when it comes back nothing exists twice."""

import json
import os
import threading
import time
from dataclasses import dataclass

import pytest

from compute_agent.drivers.base import PowerState
from tests.chaos.real.bursts import Burst
from tests.chaos.real.clouds import KeptProcess
from tests.chaos.real.conftest import DAWDLE, IS_FULL
from tests.chaos.real.requests import GONE, Stage
from tests.fixtures.cable import Cable
from tests.fixtures.clouds import wait_until

HOST = "apart"
# Larger than the others, so that the scheduler prefers it.
SIZE = "vcpus=256,memory_mb=1048576,disk_gb=20000"
SERVERS_IN_BURST = 8
# A host counts as down after 60 s. One that comes back before its orders are too old is the worst case.
STOPPED, CUT = "stopped", "cut off"
APART = ((STOPPED, 90), (STOPPED, 300), (CUT, 300)) if IS_FULL else ((STOPPED, 80), (CUT, 80))
AFTERWARDS_SECONDS = 30


@dataclass
class Apart:
    """A host that can be put apart: its process stands still, or its cable is pulled out and it goes on."""

    how: str
    process: KeptProcess
    cable: Cable

    def begin(self):
        if self.how == CUT:
            self.cable.cut()
        else:
            self.process.freeze()

    def end(self):
        self.cable.mend()
        self.process.thaw()


@pytest.fixture
def apart(fake_cloud, request):
    """A fake host with an agent in a network namespace of its own."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    fake_cloud.wait_until_whole()
    fake_cloud.trouble(DAWDLE)
    cable = Cable(fake_cloud.settings.redis_port, fake_cloud.settings.port)
    process = fake_cloud.start_agent(HOST, cable, NOVELLA_FAKE_INVENTORY=SIZE, NOVELLA_FAKE_DELAYS="start=8")
    path = f"/compute/v2.1/os-services?binary=nova-compute&host={HOST}"
    wait_until(lambda: any(one["state"] == "up" for one in fake_cloud.admin.call("GET", path).body["services"]), HOST)
    yield Apart(request.getfixturevalue("how"), process, cable)
    process.end()
    cable.close()
    row = fake_cloud.admin.call("GET", path).body["services"][0]
    wait_until(lambda: fake_cloud.admin.call("GET", path).body["services"][0]["state"] == "down", "its end", 90)
    fake_cloud.admin.call("DELETE", f"/compute/v2.1/os-services/{row['id']}")


@pytest.mark.parametrize(("how", "seconds"), APART)
def test_a_host_is_put_apart_and_comes_back(fake_cloud, apart, how, seconds):
    cloud = fake_cloud
    # A cloud is shared by all of them, and a client token by nobody.
    name = f"{how.replace(' ', '-')}-{seconds}"
    stopped, deleted = Stage(cloud.client, f"to-stop-{name}", None), Stage(cloud.client, f"to-delete-{name}", None)
    for stage in (stopped, deleted):
        stage.create()
        stage.reach("ACTIVE")
        assert cloud.homes(stage.uuid) == [HOST]
    # With the image there a build's first order is the one that starts a guest.
    cached = "SELECT cached_images FROM compute_computenode WHERE host = %s"
    wait_until(lambda: any(row["cached_images"] for row in cloud.rows.all(cached, HOST)), "the image to be known there")
    began = time.monotonic()
    burst = Burst(cloud, f"apart-{name}", SERVERS_IN_BURST)
    with Watch(cloud) as watch:
        _put_apart(cloud, apart, burst)
        assert stopped.ask("stop").status == 202
        assert deleted.ask("delete").status == 202
        time.sleep(max(seconds - (time.monotonic() - began), 0))
        apart.end()
        statuses = burst.settle(60)
        time.sleep(AFTERWARDS_SECONDS)
    print(f"\n{how} for {seconds} s: {dict(statuses)}; {_reasons(cloud, burst, stopped)}")
    assert not watch.twice, "two copies at the same time"
    assert statuses == {"ACTIVE": SERVERS_IN_BURST}
    assert deleted.status() == GONE
    wait_until(lambda: not cloud.left_on_hosts(deleted.uuid), "the deleted one to leave its host", 180)
    # What lies there of the others is stopped, and goes when the host has told of it twice.
    wait_until(lambda: all(len(cloud.homes(id)) == 1 for id in burst.ids), "the others to have left it", 180)
    cloud.client.delete_at_once(stopped.uuid)
    burst.delete()
    cloud.wait_for_content(180)


def _put_apart(cloud, apart, burst):
    """A host that is cut off is at work on all of the burst: it goes on with what it was told, and nobody hears."""
    if apart.how == STOPPED:
        apart.begin()
        burst.run()
        return
    burst.run()
    wait_until(lambda: all(cloud.homes(id) == [HOST] for id in burst.ids), "the guests to be about to start", 20, 0.1)
    apart.begin()
    assert not any(_runs(cloud.state_dir / "fake" / HOST / "domains" / f"{id}.json") for id in burst.ids)


def _reasons(cloud, burst, stopped):
    stop = cloud.rows.latest(stopped.name)
    assert stop["state"] != "running"
    tried = [row["error_code"] for row in cloud.rows.all(
        "SELECT s.error_code FROM compute_step s JOIN compute_operation o ON o.id = s.operation_id"
        " WHERE o.instance_uuid = ANY(%s) AND s.state = 'failed'", burst.ids
    )]
    return f"failed attempts there: {tried}; the stop: {stop['state']} {stop['message']}"


class Watch(threading.Thread):
    """Looks for guests that run on two hosts, as often as it can."""

    def __init__(self, cloud):
        super().__init__(daemon=True)
        self._cloud = cloud
        self._is_over = threading.Event()
        self.twice = {}

    def run(self):
        while not self._is_over.is_set():
            homes = {}
            for path in (self._cloud.state_dir / "fake").glob("*/domains/*.json"):
                if _runs(path):
                    homes.setdefault(path.stem, []).append(path.parts[-3])
            self.twice |= {uuid: found for uuid, found in homes.items() if len(found) > 1}
            time.sleep(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self.join()


def _runs(path):
    try:
        return json.loads(path.read_bytes())["state"] == PowerState.RUNNING
    except FileNotFoundError:
        return False
