"""The agent as it really runs: a process of its own with its credential, a real Redis, hosts of fakes."""

import base64
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from celery import Celery, chain

from contracts.broker import celery_settings
from contracts.compute import COMMANDS, DestroyServer, PrepareImage, SpawnServer, StopServer
from contracts.conductor import FINISH_DELETE, FINISH_POWER, NOTE_OUTCOME, HostReport, PowerReport
from contracts.routing import INBOUND_QUEUE, compute_queue, slow_compute_queue
from contracts.signing import ORDER, WORD, is_signed, sign
from tests.fixtures.credentials import Enrolled
from tests.fixtures.patience import eventually
from tests.unit.compute_agent.orders import IMAGE, new_id, server_spec

pytestmark = pytest.mark.timeout(400)

HOST = "fake-002"
# An agent takes a second or two to begin, and no time to do what fakes do, but on a machine that has much else to do.
PATIENCE_SECONDS = 60


def _is_signed(key, task, arguments):
    (wire,) = arguments
    return is_signed(key, WORD, wire.get("order", task), wire)


class Cloud:
    """What the control plane would see and send."""

    def __init__(self, server, state_dir):
        self.redis, self.state_dir = server.client(), state_dir
        self.enrolled = Enrolled(server, state_dir / "credential", "fake", ["fake-*"])
        self.app = Celery("test", set_as_current=False)
        self.app.conf.update(celery_settings(server.url))
        self.environ = {
            **os.environ,
            "NOVELLA_HYPERVISOR": "fake",
            "NOVELLA_HOSTS": "3",
            "NOVELLA_STATE_DIR": str(state_dir),
            "NOVELLA_CREDENTIAL_FILE": str(state_dir / "credential"),
            "NOVELLA_FAKE_DELAYS": "undefine=0.05",
        }
        self.process = None
        self.former_keys = []

    def start(self, port=None, **environ):
        """Start the agent; `port` is where it reaches Redis, if not directly."""
        self.enrolled.write(port)
        self.process = subprocess.Popen([sys.executable, "-m", "compute_agent"], env={**self.environ, **environ})

    def close(self):
        self.kill()
        self.app.close()
        self.enrolled.dismiss()
        self.redis.close()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def messages(self):
        """Return (task name, arguments) of what lies in the conductor's inbound queue, signed but for refusals.

        Without what was signed before the credential was renewed and sent after it: the conductor refuses that.
        """
        raw = [json.loads(one) for one in self.redis.lrange(INBOUND_QUEUE, 0, -1)]
        words = [(one["headers"]["task"], json.loads(base64.b64decode(one["body"]))[0]) for one in raw]
        words = [one for one in words if not any(_is_signed(key, *one) for key in self.former_keys)]
        for task, (wire,) in words:
            assert not wire["host"] or _is_signed(self.enrolled.key, task, [wire])
        return words

    def wait_for(self, name, condition=lambda args: True, seconds=PATIENCE_SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for task, args in self.messages():
                if task == name and condition(args):
                    return args
            time.sleep(0.05)
        raise AssertionError(f"no {name} in {[task for task, _ in self.messages()]}")

    def wait_for_all(self, name, count, seconds=PATIENCE_SECONDS):
        """Wait until a step was asked for so many times; return the outcomes."""
        end = time.monotonic() + seconds
        while True:
            outcomes = [args[0] for task, args in self.messages() if task == name]
            if len(outcomes) >= count:
                return outcomes
            assert time.monotonic() < end, outcomes
            time.sleep(0.05)

    def wait_until_begun(self, server):
        """Wait until the agent is about to start a guest that it has defined."""
        assert eventually(lambda: [*self.state_dir.glob(f"fake/*/domains/{server.uuid}.json")], PATIENCE_SECONDS)

    def wait_until_refused(self, seconds=PATIENCE_SECONDS):
        """Wait until Redis has refused the agent's password."""
        end = time.monotonic() + seconds
        while not any(one["reason"] == "auth" for one in self.redis.acl_log()):
            assert time.monotonic() < end
            time.sleep(0.05)

    def is_at_work_on(self, name):
        """Tell whether an agent took an order of this name from its queue, and has not ended it."""
        return any(name in raw for key in self.redis.keys("agent:*unacked") for raw in self.redis.hvals(key))

    def order(self, kind, instance_uuid, link=None, key=None, **values):
        fences = {"operation_id": new_id(), "step": "s", "host": HOST, "attempt": 1, "not_after": time.time() + 60}
        order = kind(instance_uuid=instance_uuid, **{**fences, **values})
        queue = (slow_compute_queue if COMMANDS[kind.NAME].is_slow_lane else compute_queue)(HOST)
        wire = sign(key or self.enrolled.key, ORDER, kind.NAME, order.to_wire())
        signature = self.app.signature(kind.NAME, args=[wire], queue=queue, immutable=True)
        if link:
            signature = chain(signature, self.app.signature(link, kwargs={"step": "x"}, queue=INBOUND_QUEUE))
        signature.apply_async()


@pytest.fixture
def cloud(redis_server, tmp_path):
    cloud = Cloud(redis_server, tmp_path)
    cloud.start()
    yield cloud
    cloud.close()


def test_agent_reports_each_host_as_soon_as_it_is_up(cloud):
    for host in ("fake-001", "fake-002", "fake-003"):
        cloud.wait_for(HostReport.NAME, lambda args, host=host: args[0]["host"] == host)


def test_next_link_of_the_canvas_gets_the_outcome_first(cloud):
    server = server_spec()
    cloud.order(SpawnServer, server.uuid, FINISH_POWER, server=server)
    (outcome,) = cloud.wait_for(FINISH_POWER)
    assert (outcome["error_code"], outcome["power_state"], outcome["host"]) == ("", 1, HOST)
    changed = cloud.wait_for(PowerReport.NAME, lambda args: not args[0]["is_full"])
    assert changed[0]["instances"] == [{"instance_uuid": server.uuid, "power_state": 1}]


def test_failure_reaches_the_next_link_as_a_value(cloud):
    cloud.order(StopServer, new_id(), FINISH_POWER)
    (outcome,) = cloud.wait_for(FINISH_POWER)
    assert outcome["error_code"] == "InstanceNotFound"


def test_guests_outlive_a_killed_agent_and_are_reported_by_the_next(cloud):
    server = server_spec()
    cloud.order(SpawnServer, server.uuid, FINISH_POWER, server=server)
    cloud.wait_for(FINISH_POWER)
    cloud.kill()
    cloud.redis.delete(INBOUND_QUEUE)
    cloud.start()
    report = cloud.wait_for(PowerReport.NAME, lambda args: args[0]["is_full"] and args[0]["host"] == HOST)
    assert report[0]["instances"] == [{"instance_uuid": server.uuid, "power_state": 1}]


def test_agent_ends_in_order_when_told(cloud):
    cloud.wait_for(HostReport.NAME)
    cloud.process.send_signal(signal.SIGTERM)
    assert cloud.process.wait(PATIENCE_SECONDS) == 0


def test_agent_that_hears_its_echo_stays(cloud):
    cloud.kill()
    cloud.start(NOVELLA_ECHO_SECONDS="3")
    cloud.wait_for(HostReport.NAME)
    with pytest.raises(subprocess.TimeoutExpired):
        cloud.process.wait(15)  # it gives up after 9 s of silence


def test_more_orders_than_threads_never_wait_for_a_timer(cloud):
    cloud.kill()
    cloud.start(NOVELLA_THREADS="2")
    cloud.wait_for(HostReport.NAME)
    took = []
    while not took or (min(took) >= 3 and len(took) < 5):  # others' work on this machine only slows down
        begun = time.monotonic()
        for _ in range(20):
            cloud.order(DestroyServer, new_id(), FINISH_DELETE)
        cloud.wait_for_all(FINISH_DELETE, 20 * (len(took) + 1))
        took.append(time.monotonic() - begun)
    assert min(took) < 3  # 20 orders of 0.05 s on two threads


def test_a_stop_does_not_wait_for_an_image(cloud, tmp_path):
    """Of a real host each lane is a process; with one thread each, nothing passes what is before it."""
    cloud.kill()
    faults = tmp_path / "fake" / f"{HOST}.faults.json"
    faults.parent.mkdir(exist_ok=True)
    faults.write_text(json.dumps([{"verb": "prepare_image", "delay_seconds": 600}]))
    cloud.start(NOVELLA_LANES="slow", NOVELLA_THREADS="1")
    slow = cloud.process
    try:
        cloud.order(PrepareImage, new_id(), NOTE_OUTCOME, image=IMAGE)
        assert eventually(lambda: cloud.is_at_work_on(PrepareImage.NAME), PATIENCE_SECONDS)
        cloud.start(NOVELLA_LANES="fast", NOVELLA_THREADS="1")
        cloud.order(StopServer, new_id(), FINISH_POWER)
        (outcome,) = cloud.wait_for(FINISH_POWER)
        assert outcome["error_code"] == "InstanceNotFound"
        assert slow.poll() is None
        assert cloud.is_at_work_on(PrepareImage.NAME)
    finally:
        slow.kill()
        slow.wait()


def test_agent_hears_again_after_the_broker_was_away(cloud, redis_server):
    cloud.wait_for(HostReport.NAME)
    redis_server.stop()
    time.sleep(1)
    redis_server.start()
    cloud.enrolled.allow()
    server = server_spec()
    cloud.order(SpawnServer, server.uuid, FINISH_POWER, server=server)
    cloud.wait_for(FINISH_POWER)
