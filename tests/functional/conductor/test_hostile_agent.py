"""A host that was broken into: whatever it tries with its own credential, it moves nothing but its own.

A real Redis with its users, a conductor, honest agents, and one that is called mallory.
"""

import base64
import contextlib
import json
import threading
import time
import uuid
from dataclasses import dataclass, field

import pytest
import redis

from cloud.compute.errors import CredentialNotFound
from cloud.compute.models import ComputeNode, HostCredential, Operation, Service
from cloud.compute.services import credential_secrets, host_credentials
from cloud.placement.models import ResourceProvider
from contracts.compute import COMMANDS, DestroyServer, StopServer
from contracts.conductor import FAIL_OPERATION, FINISH_DELETE, FINISH_POWER, FINISH_SPAWN, PRUNE, HostReport
from contracts.credentials import REDIS_URL, read_credential
from contracts.presence import PRESENCE
from contracts.routing import CONDUCTOR_QUEUE, HEARD_QUEUE, INBOUND_QUEUE, REPORTS_QUEUE, SCHEDULER_QUEUE
from contracts.scheduling import HOST_FEED
from contracts.signing import ORDER, WORD, sign
from tests.fixtures.workers import SECONDS
from tests.functional.conductor.soundness import assert_sound

pytestmark = pytest.mark.usefixtures("nothing_left")
NAME = "mallory"


@dataclass
class Mallory:
    """What a hostile agent has: its Redis user and its key."""

    url: str
    key: bytes = field(repr=False)

    def __post_init__(self):
        self.redis = redis.Redis.from_url(self.url, decode_responses=True)

    def send(self, task, wire, queue=INBOUND_QUEUE, **around):
        self.redis.lpush(queue, message(task, wire, **around))

    def outcome(self, operation, order, **changes):
        wire = {
            "error_code": "", "detail": "", "host": NAME, "attempt": operation.attempt, "operation_id": operation.id,
            "step": "s", "order": order.NAME, "power_state": 1, **changes,
        }  # fmt: skip
        return sign(self.key, WORD, order.NAME, wire)

    def report(self, **changes):
        report = HostReport(host=NAME, reported_at=time.time(), release=2, vcpus=1, memory_mb=1, disk_gb=1)
        return sign(self.key, WORD, HostReport.NAME, {**report.to_wire(), **changes})


def message(task, wire, *, kwargs=None, embedded=None, headers=None, properties=None):
    """A Celery message, with whatever its publisher likes to write around the word."""
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = [[wire], kwargs or {}, {**nothing, **(embedded or {})}]
    return json.dumps({
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
        "content-type": "application/json", "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": task, "id": str(uuid.uuid4()), **(headers or {})},
        "properties": {
            "body_encoding": "base64", "delivery_tag": str(uuid.uuid4()), "correlation_id": "c", "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": INBOUND_QUEUE}, "priority": 0, **(properties or {}),
        },
    })  # fmt: skip


@pytest.fixture
def mallory(workers):
    issued = host_credentials.enroll(NAME, renew=True)
    enemy = Mallory(read_credential(issued.text())[REDIS_URL], issued.key)
    introduce(workers, enemy)
    yield enemy
    enemy.redis.close()
    with contextlib.suppress(CredentialNotFound):
        host_credentials.dismiss(NAME)
    forget()


def introduce(workers, enemy):
    """Let it report as any host does, until it is heard: conductors look for new keys every two seconds."""
    before = seen_of(NAME)

    def is_heard():
        enemy.send(HostReport.NAME, enemy.report())
        time.sleep(0.1)
        return seen_of(NAME) > before

    workers.wait(is_heard)
    settled(workers)


def seen_of(host):
    """When the last report of a host was made that was believed."""
    return Service.objects.filter(host=host).values_list("reported_at", flat=True).first() or 0.0


def forget():
    """Have no trace of it among the hosts."""
    Service.objects.filter(host=NAME).delete()
    ComputeNode.objects.filter(host=NAME).delete()
    ResourceProvider.objects.filter(name=NAME).delete()


@pytest.fixture
def server(workers, mallory):
    (server,) = workers.create()
    return workers.wait_for(server, "active")


def settled(workers, seconds=SECONDS):
    """Wait until the conductor has read what was sent to it."""
    with contextlib.closing(workers.redis.client()) as client:
        queues = (INBOUND_QUEUE, HEARD_QUEUE, REPORTS_QUEUE, CONDUCTOR_QUEUE)
        workers.wait(lambda: not any(client.llen(queue) for queue in queues), seconds)
        workers.wait(lambda: not client.hlen("unacked"))


FORBIDDEN = [
    # others' queues, and what others have in work
    ("BRPOP", "compute.fake-001", 1), ("RPOP", "compute.fake-001"), ("LRANGE", "compute.fake-001", 0, -1),
    ("LPUSH", "compute.fake-001", "x"), ("DEL", "compute.fake-001"), ("RPUSH", "compute.fake-001.slow", "x"),
    ("HGETALL", "unacked"), ("HGET", "unacked", "x"), ("HSET", "unacked", "x", "y"), ("DEL", "unacked"),
    ("HGET", "agent:fake:fast-slow:unacked", "x"), ("HDEL", "agent:fake:fast-slow:unacked", "x"),
    ("ZRANGE", "agent:fake:fast-slow:unacked_index", 0, -1), ("ZADD", "unacked_index", 0, "x"),
    # the control plane's queues, its feed, its results, its bindings
    ("LPUSH", CONDUCTOR_QUEUE, "x"), ("LPUSH", SCHEDULER_QUEUE, "x"), ("BRPOP", SCHEDULER_QUEUE, 1),
    ("XADD", HOST_FEED, "*", "hosts", "[]"), ("XRANGE", HOST_FEED, "-", "+"), ("HSET", PRESENCE, "x", "y"),
    ("SET", "celery-task-meta-x", "y"), ("GET", "celery-task-meta-x"), ("SADD", "_kombu.binding.compute.x", "y"),
    ("SMEMBERS", "_kombu.binding.conductor"), ("SET", "chord", "x"),
    # the inbound queue is to be written to at its end, and no more
    ("LRANGE", INBOUND_QUEUE, 0, -1), ("BRPOP", INBOUND_QUEUE, 1), ("RPUSH", INBOUND_QUEUE, "x"),
    ("DEL", INBOUND_QUEUE),
    ("HSET", INBOUND_QUEUE, "x", "y"), ("RENAME", INBOUND_QUEUE, "agent:mallory:x"), ("LLEN", INBOUND_QUEUE),
    # what else may be made of one's own keys
    ("SET", "compute.mallory", "x"), ("HSET", "compute.mallory", "x", "y"), ("LPUSH", "agent:mallory:x", "y"),
    ("LPUSH", "agent:mallory:fast:unacked", "y"), ("HSET", "agent:mallory:x", "y", "z"),
    ("HSET", "agent:mallory:fast:unacked2", "y", "z"), ("ZADD", "agent:mallory:", 0, "x"),
    ("LPUSH", "compute.mallory2", "x"), ("LPUSH", "compute.mallory.slow.slow", "x"),
    # Redis itself, and everybody
    ("FLUSHALL",), ("FLUSHDB",), ("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "GET", "*"), ("ACL", "LIST"),
    ("ACL", "SETUSER", "novella-host-mallory", "+@all"), ("KEYS", "*"), ("SCAN", 0), ("EVAL", "return 1", 0),
    ("SHUTDOWN",), ("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "PAUSE", 1000), ("MONITOR",),
    ("REPLICAOF", "NO", "ONE"), ("SAVE",), ("SWAPDB", 0, 1), ("MIGRATE", "h", 1, "k", 0, 1), ("SCRIPT", "FLUSH"),
    # every worker listens there for commands
    ("PUBLISH", "/0.celery.pidbox", "x"), ("SUBSCRIBE", "/0.celery.pidbox"), ("PSUBSCRIBE", "*"),
    ("PUBLISH", "celery-task-meta-x", "y"),
]  # fmt: skip


def test_nothing_is_allowed_but_its_own_queues_and_to_speak(workers, mallory):
    with contextlib.closing(workers.redis.client()) as admin:
        admin.execute_command("ACL", "LOG", "RESET")
        for command in FORBIDDEN:
            with pytest.raises(redis.exceptions.NoPermissionError):
                mallory.redis.execute_command(*command)
        logged = admin.execute_command("ACL", "LOG", 128)
    names = {one["username"] for one in logged}
    assert names == {credential_secrets.redis_user(NAME)}
    assert sum(int(one["count"]) for one in logged) == len(FORBIDDEN)


def test_it_may_work(mallory):
    mallory.redis.lpush("compute.mallory", "x")
    assert mallory.redis.brpop("compute.mallory", 1) == ("compute.mallory", "x")
    mallory.redis.hset("agent:mallory:fast:unacked", "x", "y")
    assert mallory.redis.hdel("agent:mallory:fast:unacked", "x") == 1


def test_an_order_that_the_control_plane_did_not_sign_is_refused_by_its_host(workers, mallory, server):
    """Even who can write to another host's queue cannot command it."""
    order = DestroyServer(
        operation_id=str(uuid.uuid4()), step="s", instance_uuid=server.uuid, host=server.host, attempt=9,
        not_after=time.time() + 60,
    ).to_wire()  # fmt: skip
    with contextlib.closing(workers.redis.client()) as admin:
        for wire in (
            order,
            sign(mallory.key, ORDER, DestroyServer.NAME, order),
            sign(mallory.key, WORD, DestroyServer.NAME, order),
            {**order, "signature": "0" * 64}, {**order, "signature": "é"}, {**order, "signature": 5},
        ):
            admin.lpush(f"compute.{server.host}", message(DestroyServer.NAME, wire))
        workers.wait(lambda: not admin.llen(f"compute.{server.host}"))
        workers.wait(lambda: not admin.hlen("agent:fake:fast-slow:unacked"))
    assert server.uuid in workers.domains()


def test_an_order_that_was_altered_on_its_way_is_refused(workers, mallory, server):
    row = HostCredential.objects.get(name="fake")
    key = credential_secrets.key(row.name, row.salt)
    order = StopServer(
        operation_id=str(uuid.uuid4()), step="s", instance_uuid=server.uuid, host=server.host, attempt=9,
        not_after=time.time() + 60,
    ).to_wire()  # fmt: skip
    signed = sign(key, ORDER, StopServer.NAME, order)
    with contextlib.closing(workers.redis.client()) as admin:
        # As another command, later, of a newer attempt.
        admin.lpush(f"compute.{server.host}", message(DestroyServer.NAME, signed))
        admin.lpush(f"compute.{server.host}", message(StopServer.NAME, {**signed, "not_after": time.time() + 9e9}))
        admin.lpush(f"compute.{server.host}", message(StopServer.NAME, {**signed, "attempt": 10}))
        workers.wait(lambda: not admin.llen(f"compute.{server.host}"))
        workers.wait(lambda: not admin.hlen("agent:fake:fast-slow:unacked"))
    assert server.uuid in workers.domains()
    assert_sound(workers)


def test_it_speaks_for_no_other_host(workers, mallory):
    seen = Service.objects.get(host="fake-001").reported_at
    report = HostReport(host="fake-001", reported_at=time.time() + 3600, vcpus=2**19, memory_mb=2**33).to_wire()
    mallory.send(HostReport.NAME, report)
    mallory.send(HostReport.NAME, sign(mallory.key, WORD, HostReport.NAME, report))
    mallory.send(HostReport.NAME, {**mallory.report(), "host": "fake-001"})
    for ghost in ("ghost", "mallory2", "fake-001.slow"):  # never enrolled, of any release
        mallory.send(HostReport.NAME, {**report, "host": ghost, "release": 1})
        mallory.send(HostReport.NAME, sign(mallory.key, WORD, HostReport.NAME, {**report, "host": ghost}))
    settled(workers)
    assert abs(Service.objects.get(host="fake-001").reported_at - seen) < 600
    assert set(Service.objects.filter(binary="nova-compute").values_list("host", flat=True)) == {*workers.hosts, NAME}


def test_an_enrolled_host_is_not_believed_without_its_signature(workers, mallory):
    workers.hear_out()  # it was not believed before it had said it several times
    before = seen_of(NAME)
    wire = HostReport(host=NAME, reported_at=time.time(), release=1).to_wire()
    for unsigned in (wire, {**wire, "signature": ""}, {**wire, "signature": None}, {**wire, "signature": "a" * 64}):
        mallory.send(HostReport.NAME, unsigned)
    workers.hear_out()
    assert seen_of(NAME) == before


def test_it_ends_no_operation_of_a_server_that_is_elsewhere(workers, mallory, server):
    workers.trouble(server.host, {"verb": "request_shutdown", "delay_seconds": 600.0})
    operation = workers.act(server, "stop", "stop")
    mallory.send(FINISH_POWER, mallory.outcome(operation, StopServer, power_state=4),
                 kwargs={"operation_id": operation.id, "attempt": operation.attempt})
    # As that host, which it is not.
    mallory.send(FINISH_POWER, mallory.outcome(operation, StopServer, power_state=4, host=server.host))
    # With an own outcome, and the other's operation beside it.
    mine = mallory.outcome(Operation(id=str(uuid.uuid4()), attempt=1), StopServer)
    mallory.send(FINISH_POWER, mine, kwargs={"operation_id": operation.id, "attempt": operation.attempt})
    # As the step of another order.
    mallory.send(FINISH_DELETE, mallory.outcome(operation, StopServer))
    mallory.send(FINISH_SPAWN, mallory.outcome(operation, COMMANDS[DestroyServer.NAME].order))
    settled(workers)
    operation.refresh_from_db()
    assert operation.state == "running"
    workers.calm()
    workers.wait_for(server, "stopped")


def test_it_asks_for_no_step_that_hosts_have_no_business_with(workers, mallory, server):
    operation = workers.act(server, "stop", "stop")
    wire = {"host": NAME, "order": StopServer.NAME}
    word = sign(mallory.key, WORD, StopServer.NAME, wire)
    for task in (FAIL_OPERATION, PRUNE, "conductor.v1.claim_destinations", "celery.backend_cleanup", "x" * 999):
        mallory.send(task, word, kwargs={"operation_ids": [operation.id], "attempt": 1})
    settled(workers)
    workers.wait_for(server, "stopped")


def test_the_conductor_does_nothing_in_its_name(workers, mallory, server):
    """A message says what to do next, on failure and when others are done: nothing of that is done."""
    wire = {
        "operation_id": str(uuid.uuid4()), "step": "s", "instance_uuid": server.uuid, "host": server.host, "attempt": 9,
        "not_after": time.time() + 60,
    }  # fmt: skip
    evil = {
        "task": "conductor.v1.prune", "args": [], "kwargs": {}, "immutable": True, "subtask_type": None,
        "chord_size": 1, "options": {"queue": "stolen", "task_id": "stolen"},
    }  # fmt: skip
    order = {**evil, "task": DestroyServer.NAME, "args": [wire], "options": {"queue": f"compute.{server.host}"}}
    around = {"callbacks": [evil, order], "errbacks": [evil], "chain": [evil, order], "chord": evil}
    headers = {"group": "x", "root_id": "stolen", "parent_id": "stolen", "id": "stolen", "reply_to": "stolen",
               "ignore_result": False, "retries": 5, "timelimit": [0.001, 0.001]}
    properties = {"reply_to": "stolen", "delivery_tag": "x", "priority": 9,
                  "delivery_info": {"exchange": "", "routing_key": f"compute.{server.host}"}}
    mallory.send(HostReport.NAME, mallory.report(), embedded=around, headers=headers, properties=properties)
    broken = mallory.outcome(Operation(id=str(uuid.uuid4()), attempt=1), StopServer, power_state="no number")
    mallory.send(FINISH_POWER, broken, embedded=around, headers=headers, properties=properties)
    settled(workers)
    with contextlib.closing(workers.redis.client()) as admin:
        assert not [key for key in admin.keys("*") if "stolen" in key]
        # Hosts call to themselves by their queues now and then.
        workers.wait(lambda: not admin.llen(f"compute.{server.host}"))
        workers.wait(lambda: not admin.hlen("agent:fake:fast-slow:unacked"))
    assert server.uuid in workers.domains()


def test_an_old_outcome_said_again_changes_nothing(workers, mallory, server):
    row = HostCredential.objects.get(name="fake")
    key = credential_secrets.key(row.name, row.salt)
    stop = workers.act(server, "stop", "stop")
    workers.wait_for(server, "stopped")
    workers.act(server, "start", "start")
    workers.wait_for(server, "active")
    old = {"error_code": "", "detail": "", "host": server.host, "attempt": stop.attempt, "operation_id": stop.id,
           "step": "power", "order": StopServer.NAME, "power_state": 4}
    mallory.send(FINISH_POWER, sign(key, WORD, StopServer.NAME, old))
    settled(workers)
    server.refresh_from_db()
    assert (server.vm_state, server.task_state) == ("active", "")


@pytest.mark.parametrize("raw", [
    b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"body": ' + b"[" * 50_000, b"x" * 3_000_000,
    b'{"body": "!!", "headers": {"task": "x"}, "properties": {"body_encoding": "base64"}}',
    message(HostReport.NAME, {}, headers={"group_index": "x"}), message(HostReport.NAME, [], kwargs={}),
    message(HostReport.NAME, {"host": "../../etc"}), message(HostReport.NAME, {"host": ["fake-001"]}),
], ids=range(14))  # fmt: skip
def test_what_is_no_message_ends_no_conductor(workers, mallory, raw):
    mallory.redis.lpush(INBOUND_QUEUE, raw)
    introduce(workers, mallory)
    assert workers._processes["conductor"].poll() is None


def test_a_dismissed_host_is_gone_at_once(workers, mallory):
    workers.hear_out()
    host_credentials.dismiss(NAME)
    with pytest.raises(redis.ConnectionError):
        mallory.redis.ping()
    forget()
    with contextlib.closing(workers.redis.client()) as admin:
        time.sleep(2.5)  # for so long a conductor may remember a key
        admin.lpush(INBOUND_QUEUE, message(HostReport.NAME, mallory.report()))
    workers.hear_out()
    assert not Service.objects.filter(host=NAME).exists()


def test_a_renewed_credential_ends_the_old_one(workers, mallory):
    mallory.redis.ping()
    issued = host_credentials.enroll(NAME, renew=True)
    with pytest.raises(redis.ConnectionError):
        mallory.redis.ping()
    fresh = Mallory(read_credential(issued.text())[REDIS_URL], issued.key)
    assert fresh.key != mallory.key
    fresh.redis.ping()
    fresh.redis.close()


def _flood(mallory, make):
    """Send as fast as possible until it is cut off; return how long that took."""
    begun = time.monotonic()
    with contextlib.suppress(redis.RedisError):
        while time.monotonic() - begun < SECONDS:
            with mallory.redis.pipeline(transaction=False) as pipe:
                for _ in range(200):
                    pipe.lpush(INBOUND_QUEUE, make())
                pipe.execute()
    return time.monotonic() - begun


@pytest.mark.parametrize("kind", ["garbage", "signed words"])
def test_a_host_that_floods_is_cut_off_and_the_others_are_served(workers, mallory, kind):
    word = message(HostReport.NAME, mallory.report())
    thread = threading.Thread(target=_flood, args=(mallory, (lambda: "garbage") if kind == "garbage" else lambda: word))
    thread.start()
    try:
        servers = workers.create(count=3)
        for server in servers:
            workers.wait_for(server, "active")
    finally:
        thread.join()
    credential = HostCredential.objects.get(name=NAME)
    assert credential.suspended_at is not None
    assert "flooded" in credential.suspended_reason
    assert HostCredential.objects.get(name="fake").suspended_at is None
    with pytest.raises(redis.RedisError):
        mallory.redis.ping()
    settled(workers, 150.0)  # what it sent before it was cut off is still read


@pytest.mark.parametrize("command", [("LPUSH", "compute.mallory"), ("HSET", "agent:mallory:fast:unacked", "one")])
def test_a_host_that_fills_redis_by_its_own_keys_is_cut_off_and_the_others_are_served(workers, mallory, command):
    mebibytes, piled = "x" * (8 * 2**20), 0
    with contextlib.suppress(redis.RedisError):
        while piled < 200:
            key = (*command[:2], f"{command[2]}{piled}") if len(command) > 2 else command
            mallory.redis.execute_command(*key, mebibytes)
            piled += 1
    with contextlib.closing(workers.redis.client()) as admin:
        workers.wait(lambda: HostCredential.objects.get(name=NAME).suspended_at is not None)
        workers.wait(lambda: not admin.exists(command[1]))
    assert "its keys in Redis held" in HostCredential.objects.get(name=NAME).suspended_reason
    assert HostCredential.objects.get(name="fake").suspended_at is None
    with pytest.raises(redis.RedisError):
        mallory.redis.ping()
    (server,) = workers.create()
    workers.wait_for(server, "active")
