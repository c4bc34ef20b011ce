"""The Redis in memory does what a real one does, as far as the cloud and Celery ask."""

import time
from datetime import timedelta

import pytest
import redis
from celery.backends import redis as celery_redis

from tests.chaos.sim.redis_memory import MemoryRedis
from tests.fixtures.clouds import wait_until
from tests.fixtures.redis import start_redis


@pytest.fixture(scope="module")
def _server():
    server = start_redis()
    yield server
    server.stop()


@pytest.fixture(params=["memory", "real"])
def client(request, _server):
    if request.param == "memory":
        yield MemoryRedis(time.time)
        return
    with redis.Redis.from_url(_server.url) as found:
        found.flushall()
        yield found


def test_strings(client):
    assert client.get("a") is None
    assert client.set("a", "1")
    assert client.set("a", "2", get=True) == b"1"
    assert client.set("a", "3", nx=True) is None
    assert client.incr("a") == 3
    assert client.mget(["a", "b"]) == [b"3", None]
    assert client.delete("a", "b") == 1
    assert client.exists("a") == 0
    assert client.llen("a") == 0


def test_what_has_a_time_is_gone_after_it(client):
    client.set("short", "1", ex=timedelta(seconds=3))
    client.set("renewed", "1", ex=3)
    client.set("renewed", "2")
    client.set("counted", "1", ex=3)
    client.incr("counted")
    client.set("later", "1")
    assert client.expire("later", 3)
    assert not client.expire("nothing", 1)
    assert client.get("short") == b"1"
    names = ("short", "counted", "later")
    wait_until(lambda: not any(client.exists(name) for name in names), "what has a time to be gone", 60, 0.05)
    assert client.get("renewed") == b"2"


def test_hashes(client):
    client.hset("h", "one", "1")
    client.hset("h", "one", "2")
    assert client.hgetall("h") == {b"one": b"2"}
    assert client.hgetall("none") == {}


def test_a_pipeline_carries_out_what_was_said(client):
    with client.pipeline() as pipe:
        pipe.set("a", "1")
        pipe.publish("a", "1")
        pipe.get("a")
        assert [bool(one) for one in pipe.execute()] == [True, False, True]


def test_streams(client):
    first, second, third = (client.xadd("s", {"hosts": str(number)}, maxlen=10) for number in range(3))
    assert first < second < third
    read = client.xread({"s": first}, count=10)
    entries = read[0][1] if isinstance(read, list) else next(iter(read.values()))[0]
    assert [fields for _, fields in entries] == [{b"hosts": b"1"}, {b"hosts": b"2"}]
    assert not client.xread({"s": third}, count=10)
    assert [one for one, _ in client.xrange("s", min=second, max=second, count=1)] == [second]
    assert [one for one, _ in client.xrevrange("s", max=b"+", count=2)] == [third, second]
    assert [one for one, _ in client.xrevrange("s", max=b"(" + second, count=2)] == [first]


def part(client, task: str, number: int, size: int | None = None, token: str = "mine"):
    if size is not None:
        client.set("skey", size)
    script = client.register_script(celery_redis.CHORD_PART_RETURN_LUA)
    return script(
        keys=["jkey", "tkey", "skey", "dkey", "gkey", "ckey"],
        args=[task, f"value-{task}", 1, number, 0, 0, 10, token], client=client,
    )  # fmt: skip


def clean_up(client, token: str = "mine"):
    script = client.register_script(celery_redis.CHORD_CLEANUP_LUA)
    return script(keys=["ckey", "jkey", "tkey", "skey", "dkey"], args=[token, 300], client=client)


def extend(client, token: str = "mine"):
    script = client.register_script(celery_redis.CHORD_CLAIM_EXTEND_LUA)
    return script(keys=["ckey", "skey"], args=[token, 10], client=client)


def test_a_chord_counts_each_part_once_and_is_claimed_once(client):
    assert part(client, "a", 0, size=2)[0] == 1
    assert part(client, "a", 0)[0] == 1
    ready, _, size, claimed = part(client, "b", 1)
    assert (ready, int(size), claimed) == (2, 2, 1)
    assert part(client, "b", 1, token="other")[3] == 0
    assert client.zrange("jkey", 0, -1) == [b"value-a", b"value-b"]
    assert (extend(client, "other"), extend(client)) == (0, 1)
    assert (clean_up(client, "other"), clean_up(client)) == (0, 1)
    assert part(client, "a", 0)[0] == -1


def test_a_chord_that_was_wiped_is_never_whole(client):
    part(client, "a", 0, size=2)
    client.flushall()
    assert part(client, "b", 1)[3] == 0


def test_a_claim_that_ran_out_is_taken_again_while_there_is_a_chord(client):
    assert extend(client) == 0
    client.set("skey", 2)
    assert extend(client) == 1
