"""A host dies under a server, which is evacuated while a process of the cloud dies as well: one guest, nothing left."""

import pytest

from tests.chaos.real.cases import sample
from tests.chaos.real.client import SERVERS
from tests.chaos.real.conftest import DAWDLE, IS_FULL, SEED
from tests.chaos.real.moments import Strike
from tests.chaos.real.requests import GONE, Stage
from tests.chaos.real.verdicts import judge
from tests.fixtures.clouds import wait_until

HOST = "doomed"
# Larger than the others, so that the scheduler prefers it.
SIZE = "vcpus=256,memory_mb=1048576,disk_gb=20000"
SERVICES = "/compute/v2.1/os-services"
CASES = sample("fake", ("evacuate",), SEED, 7 if IS_FULL else 2)
# A host tells once a minute what lies there.
CLEAN_SECONDS = 180


class Doomed:
    """A fake host whose machine is switched off and on."""

    def __init__(self, cloud):
        self._cloud = cloud
        self._process = None

    def switch_on(self):
        self._process = self._cloud.start_agent(HOST, NOVELLA_FAKE_INVENTORY=SIZE)

    def switch_off(self):
        """Kill it; return when its last words are history."""
        self._process.end()
        silent = "SELECT 1 FROM compute_service WHERE host = %s AND last_seen_at < now() - interval '3 seconds'"
        wait_until(lambda: self._cloud.rows.all(silent, HOST), "its silence", 30)

    def say(self, **columns):
        return self._cloud.admin.insist("PUT", f"{SERVICES}/{self.service()['id']}", columns).status

    def service(self):
        found = self._cloud.admin.insist("GET", f"{SERVICES}?binary=nova-compute&host={HOST}").body["services"]
        return found[0] if found else {"id": "", "state": "none"}

    def end(self):
        """Leave the cloud as if it had never been there."""
        self._process.end()
        wait_until(lambda: self.service()["state"] == "down", "its end", 90)
        self._cloud.admin.insist("DELETE", f"{SERVICES}/{self.service()['id']}")


class OnADeadHost(Stage):
    """A server of the project, which an operator evacuates."""

    def __init__(self, cloud, name):
        super().__init__(cloud.client, name, None)
        self._admin = cloud.admin

    def act(self, body):
        return self._admin.call("POST", f"{SERVERS}/{self.uuid}/action", body)


@pytest.fixture(scope="module")
def doomed(fake_cloud):
    fake_cloud.wait_until_whole()
    fake_cloud.trouble(DAWDLE)
    host = Doomed(fake_cloud)
    host.switch_on()
    wait_until(lambda: host.service()["state"] == "up", HOST)
    yield host
    host.end()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_a_server_is_evacuated_from_it(cloud, doomed, case):
    number = CASES.index(case) + 1
    stage = OnADeadHost(cloud, f"dead{number}-evacuate")
    stage.prepare(case)
    assert cloud.homes(stage.uuid) == [HOST]
    doomed.switch_off()
    assert doomed.say(forced_down=True) == 200
    stage.dead_hosts = (HOST,)
    strike = Strike(cloud, stage, case)
    strike.run()
    verdict = judge(cloud, stage, case, strike.struck_at)
    print(f"\nseed {SEED}, {number:2} of {len(CASES)}: {case.hypervisor}, {case}: {verdict}")
    if verdict.status == "SHUTOFF":
        assert HOST in cloud.homes(stage.uuid)
        assert doomed.say(forced_down=False) == 409
    doomed.switch_on()
    _is_clean_and_trusted_again(cloud, doomed, stage, verdict)
    cloud.client.delete_at_once(stage.uuid)
    wait_until(lambda: stage.status() == GONE, f"{stage.name} to be gone", CLEAN_SECONDS)
    wait_until(lambda: not cloud.left_on_hosts(stage.uuid), "every host to hold nothing of it", CLEAN_SECONDS)
    cloud.wait_for_content()


def _is_clean_and_trusted_again(cloud, doomed, stage, verdict):
    if verdict.status == "SHUTOFF":
        wait_until(lambda: HOST not in cloud.homes(stage.uuid), f"{HOST} to remove what is another's", CLEAN_SECONDS)
    wait_until(lambda: doomed.say(forced_down=False) == 200, f"{HOST} to be trusted", CLEAN_SECONDS)
    wait_until(lambda: doomed.service()["state"] == "up", f"{HOST} to be up", CLEAN_SECONDS)
    if verdict.status == "SHUTOFF":
        assert len(cloud.homes(stage.uuid)) == 1
