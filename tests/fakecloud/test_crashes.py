"""A burst of servers while a part of the cloud dies as by a power cut: all of them are ACTIVE in the end.

Guests that nobody asked for, hosts filled twice or quotas that leak would show in the audit.
"""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fixtures.clouds import wait_until

# A larger one shows more: BURST=100 pytest tests/fakecloud/test_crashes.py
SERVERS = int(os.environ.get("BURST", "20"))
RECOVERY_SECONDS = 120
CONTROL = ("conductor", "scheduler", "agents")


def kill(*names):
    def happen(cloud):
        for name in names:
            cloud.kill(name)
    return happen


def flush(cloud):
    cloud.redis().flushall()


EVENTS = {
    **{name: kill(name) for name in (*CONTROL, "beat", "redis")},
    "all workers at once": kill(*CONTROL, "beat"),
    "Redis is wiped": flush,
}


class Burst:
    """Servers made by several clients at once; an event happens when some of them were accepted."""

    def __init__(self, cloud, name):
        self._cloud = cloud
        self._connection = cloud.connect()
        self._body = {
            "image_id": self._connection.image.find_image("tiny").id,
            "flavor_id": self._connection.compute.find_flavor("m1.tiny").id,
            "networks": [{"uuid": self._connection.network.find_network("demo").id}],
        }
        self._name = name
        self._accepted = threading.Semaphore(0)
        self.ids = []

    def run(self, event, after):
        """Ask for all servers; let the event happen when `after` of them were accepted."""
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(self._create, number) for number in range(SERVERS)]
            for _ in range(after):
                assert self._accepted.acquire(timeout=120)
            event(self._cloud)
            self.ids = [future.result() for future in futures]

    def _create(self, number):
        try:
            return self._connection.compute.create_server(name=f"{self._name}-{number}", **self._body).id
        finally:
            self._accepted.release()

    def statuses(self):
        found = {one.id: one for one in self._connection.compute.servers(details=True, name=f"^{self._name}-")}
        return [(found[id].status, found[id].task_state) if id in found else ("gone", None) for id in self.ids]

    def explain(self):
        """What stands in the way of those that are not ACTIVE."""
        late = [id for id, (status, _) in zip(self.ids, self.statuses(), strict=True) if status != "ACTIVE"]
        return "\n\n".join(self._cloud.manage("server_show", id) for id in late[:4])

    def delete(self):
        for id in self.ids:
            self._connection.compute.delete_server(id)
        wait_until(lambda: {status for status, _ in self.statuses()} == {"gone"}, "the servers to be gone", 120)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", EVENTS)
def test_a_burst_survives(cloud, what):
    wait_until(lambda: _hosts_up(cloud) == 20, "the hosts to be up", 120)
    burst = Burst(cloud, "burst" + "".join(letter for letter in what.lower() if letter.isalpha()))
    began = time.monotonic()
    burst.run(EVENTS[what], after=SERVERS // 2)
    while set(burst.statuses()) != {("ACTIVE", None)}:
        waited = time.monotonic() - began
        assert waited < RECOVERY_SECONDS, f"{what}, {waited:.0f} s later:\n{burst.statuses()}\n{burst.explain()}"
        time.sleep(0.5)
    print(f"{what}: all {SERVERS} ACTIVE {time.monotonic() - began:.1f} s after the burst began")
    _await_content(cloud)
    burst.delete()
    _await_content(cloud)


def _hosts_up(cloud):
    services = cloud.connect("novella-admin").compute.services(binary="nova-compute")
    return sum(one.state == "up" for one in services)


def _await_content(cloud):
    # Hosts report what they have every few seconds.
    last = ""
    deadline = time.monotonic() + 120
    while last := cloud.audit():
        assert time.monotonic() < deadline, last
        time.sleep(1)
