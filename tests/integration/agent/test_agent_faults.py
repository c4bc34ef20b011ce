"""An agent that is deaf, stopped, cut off, told to end, or whose clock is wrong: a real process, a real Redis."""

import os
import signal
import subprocess
import time

import pytest

from compute_agent.watchdog import EXIT_CODE
from contracts.compute import DestroyServer, SpawnServer, StartServer, StopServer
from contracts.conductor import FINISH_DELETE, FINISH_POWER, HostReport, PowerReport
from contracts.routing import INBOUND_QUEUE, compute_queue
from contracts.signing import WORD, is_signed
from tests.fixtures.wire import Wire
from tests.integration.agent.test_agent_process import HOST, PATIENCE_SECONDS, Cloud
from tests.unit.compute_agent.orders import new_id, server_spec

pytestmark = pytest.mark.timeout(400)
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
LIMIT_SECONDS = 6.0  # of silence, with an echo every two seconds; a busy machine has taken more than a quarter


@pytest.fixture
def wire(redis_server):
    wire = Wire(redis_server.port)
    yield wire
    wire.close()


@pytest.fixture
def cloud(redis_server, tmp_path):
    cloud = Cloud(redis_server, tmp_path)
    cloud.environ["NOVELLA_ECHO_SECONDS"] = "2"
    yield cloud
    cloud.close()


def spawn(cloud, server=None, **values):
    server = server or server_spec()
    cloud.order(SpawnServer, server.uuid, FINISH_POWER, server=server, **values)
    return server


def finished(cloud, count=1):
    """Wait for so many outcomes and return them."""
    return cloud.wait_for_all(FINISH_POWER, count)


def is_full(args):
    """Whether a report tells of all guests of the host."""
    return args[0]["is_full"] and args[0]["host"] == HOST


def test_deaf_agent_ends_itself_and_the_next_one_carries_on(cloud, wire):
    cloud.start(port=wire.port)
    spawn(cloud)
    finished(cloud)
    wire.stall_consumers()
    assert cloud.process.wait(PATIENCE_SECONDS) == EXIT_CODE
    wire.mend()
    cloud.start(port=wire.port)
    spawn(cloud)
    finished(cloud, 2)


def test_agent_that_was_stopped_for_a_while_goes_on(cloud):
    cloud.start()
    cloud.wait_for(HostReport.NAME)
    cloud.process.send_signal(signal.SIGSTOP)
    late = spawn(cloud, not_after=time.time() + 2)
    time.sleep(2 * LIMIT_SECONDS)
    cloud.process.send_signal(signal.SIGCONT)
    (refused,) = finished(cloud)
    assert (refused["error_code"], "deadline" in refused["detail"]) == ("OrderRefused", True)
    spawn(cloud, late)
    assert finished(cloud, 2)[0]["power_state"] == 1 or finished(cloud, 2)[1]["power_state"] == 1
    with pytest.raises(subprocess.TimeoutExpired):
        cloud.process.wait(LIMIT_SECONDS + 1)


def test_agent_waits_for_a_redis_that_hangs(cloud, redis_server):
    cloud.start()
    cloud.wait_for(HostReport.NAME)
    pid = redis_server._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            cloud.process.wait(4 * LIMIT_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)
    spawn(cloud)
    finished(cloud)


def test_agent_that_was_cut_off_keeps_its_guests_reports_at_once_and_takes_nothing_late(cloud, wire):
    cloud.start(port=wire.port, NOVELLA_HOSTS="2", NOVELLA_REPORT_SECONDS="1", NOVELLA_FULL_REPORT_SECONDS="900")
    cloud.wait_for(PowerReport.NAME, is_full)
    build = new_id()
    server = spawn(cloud, operation_id=build, attempt=2)
    finished(cloud)
    wire.cut()
    late = spawn(cloud, not_after=time.time() + 3)
    spawn(cloud, server, operation_id=build, attempt=1)
    cloud.redis.delete(INBOUND_QUEUE)
    time.sleep(4 * LIMIT_SECONDS)
    wire.mend()
    report = cloud.wait_for(PowerReport.NAME, is_full)
    assert report[0]["instances"] == [{"instance_uuid": server.uuid, "power_state": 1}]
    outcomes = finished(cloud, 2)
    assert [one["error_code"] for one in outcomes] == ["OrderRefused", "OrderRefused"]
    assert sum(task == PowerReport.NAME and is_full(args) for task, args in cloud.messages()) == 1
    assert late.uuid not in str(cloud.messages())


def test_agent_told_to_end_finishes_what_it_is_at_and_leaves_the_rest_in_the_queue(cloud):
    cloud.start(NOVELLA_THREADS="1", NOVELLA_FAKE_DELAYS="start=5")
    cloud.wait_for(HostReport.NAME)
    cloud.wait_until_begun(spawn(cloud))
    waiting = spawn(cloud)
    cloud.process.send_signal(signal.SIGTERM)
    assert cloud.process.wait(PATIENCE_SECONDS) == 0
    (outcome,) = finished(cloud)
    assert (outcome["error_code"], outcome["power_state"]) == ("", 1)
    assert (cloud.redis.llen(compute_queue(HOST)), cloud.redis.hlen("agent:fake:fast-slow:unacked")) == (1, 0)
    cloud.start()
    finished(cloud, 2)
    report = cloud.wait_for(PowerReport.NAME, lambda args: waiting.uuid in str(args))
    assert report[0]["instances"][0]["power_state"] == 1


@pytest.mark.parametrize("signals", [1, 2])
def test_agent_that_cannot_finish_in_time_hands_its_order_back(cloud, signals):
    cloud.start(NOVELLA_FAKE_DELAYS="start=60")
    cloud.wait_for(HostReport.NAME)
    server = spawn(cloud)
    cloud.wait_until_begun(server)
    for _ in range(signals):
        cloud.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    assert cloud.process.wait(14) == 0  # sooner than the supervisor kills
    assert (cloud.redis.llen(compute_queue(HOST)), cloud.redis.hlen("agent:fake:fast-slow:unacked")) == (1, 0)
    cloud.start()
    (outcome,) = finished(cloud)
    assert (outcome["error_code"], outcome["power_state"]) == ("", 1)
    cloud.order(StopServer, server.uuid, FINISH_POWER)
    assert finished(cloud, 2)[-1]["error_code"] == ""


@pytest.mark.skipif(not os.path.exists(FAKETIME), reason="libfaketime is not installed")  # noqa: PTH110
@pytest.mark.parametrize("offset", [600, -600])
def test_host_whose_clock_is_ten_minutes_off_carries_out_what_is_due_and_refuses_what_is_late(cloud, offset):
    cloud.start(LD_PRELOAD=FAKETIME, FAKETIME=f"{offset:+}s", FAKETIME_DONT_FAKE_MONOTONIC="1")
    report = cloud.wait_for(HostReport.NAME, lambda args: args[0]["host"] == HOST)
    assert report[0]["clock_offset_seconds"] == pytest.approx(offset, abs=5)
    assert report[0]["reported_at"] == pytest.approx(time.time(), abs=15)
    server = spawn(cloud)
    assert finished(cloud)[0]["power_state"] == 1
    cloud.order(StartServer, server.uuid, FINISH_POWER, server=server, not_after=time.time() - 5)
    late = [one for one in finished(cloud, 2) if one["error_code"]]
    assert [one["error_code"] for one in late] == ["OrderRefused"]


def test_agent_takes_a_renewed_credential_without_a_restart_and_believes_the_old_one_no_more(cloud):
    cloud.start()
    spawn(cloud)
    finished(cloud)
    old = cloud.enrolled.key
    cloud.former_keys.append(old)
    cloud.enrolled.renew()  # the old password is refused, and connections are cut
    cloud.redis.delete(INBOUND_QUEUE)
    cloud.wait_until_refused()
    cloud.enrolled.write()
    report = cloud.wait_for(HostReport.NAME, lambda args: args[0]["host"] == HOST)
    assert is_signed(cloud.enrolled.key, WORD, HostReport.NAME, report[0])
    assert not is_signed(old, WORD, HostReport.NAME, report[0])
    cloud.order(DestroyServer, new_id(), FINISH_DELETE, key=old)
    spawn(cloud)
    (outcome,) = finished(cloud)
    assert (outcome["error_code"], outcome["power_state"]) == ("", 1)
    (refused,) = cloud.wait_for_all(FINISH_DELETE, 1)
    assert (refused["error_code"], refused["signature"]) == ("OrderRefused", "")
    assert cloud.process.poll() is None
