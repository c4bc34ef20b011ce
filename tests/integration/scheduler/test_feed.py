"""The feed against a real Redis: it fills the table, and converges again whatever happens to the stream."""

import json
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from contracts.scheduling import HOST_FEED, HostState, SelectDestinations
from scheduler.service.feed import HostFeed
from scheduler.service.known_hosts import KnownHosts
from scheduler.service.settings import Settings
from tests.factories.scheduling import make_host, make_request
from tests.fixtures.patience import eventually
from tests.fixtures.redis import RedisServer


class Room:
    """A feed at work, and what a conductor would do to it."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.client: redis.Redis = server.client()
        self.asked = 0
        settings = Settings(redis_url=server.url, ask_again_seconds=0.3)
        self.hosts = KnownHosts(settings.promise_seconds)
        self.feed = HostFeed(settings, self.hosts, self._ask)

    def _ask(self) -> None:
        self.asked += 1

    def publish(self, *hosts: HostState, is_full: bool = False) -> str:
        text = json.dumps([host.to_wire() for host in hosts])
        return str(self.client.xadd(HOST_FEED, {"hosts": text, "full": "1" if is_full else "0"}))

    def knows(self, *names: str) -> bool:
        spec = make_request(vcpus=0, memory_mb=0, disk_gb=0, group_policy="anti-affinity")
        ids = [str(number) for number in range(len(names) + 1)]
        selected = self.hosts.select(SelectDestinations(operation_ids=ids, spec=spec, attempt=1, alternates=0))
        return sorted(hosts[0] for hosts in selected.hosts if hosts) == sorted(names)


@pytest.fixture
def room(redis_server: RedisServer) -> Iterator[Room]:
    room = Room(redis_server)
    with closing(room.client):
        yield room
        room.feed.stop()


def test_feed_begins_at_the_newest_full_entry_and_goes_on_from_there(room: Room):
    room.publish(make_host("old"), is_full=True)
    room.publish(make_host("a"), make_host("b"), is_full=True)
    for _ in range(250):
        room.publish(make_host("a"))
    room.publish(make_host("c"))
    room.feed.start()
    assert eventually(lambda: room.knows("a", "b", "c"))
    assert room.hosts.is_filled
    assert room.asked == 0


def test_feed_asks_until_a_full_entry_comes(room: Room):
    room.publish(make_host("a"))
    room.feed.start()
    assert eventually(lambda: room.asked >= 2)
    assert eventually(lambda: room.knows("a")), "changes are taken meanwhile"
    assert not room.hosts.is_filled
    room.publish(make_host("b"), is_full=True)
    assert eventually(lambda: room.knows("b"))
    asked = room.asked
    time.sleep(1.2)
    assert room.asked == asked


def test_changes_arrive_at_once(room: Room):
    room.publish(make_host("a"), is_full=True)
    room.feed.start()
    known, took = ["a"], [1.0]
    assert eventually(lambda: room.knows(*known))
    while min(took) >= 0.5 and len(took) < 6:  # others' work on this machine only slows down
        known.append(f"b{len(took)}")
        begin = time.monotonic()
        room.publish(make_host(known[-1]))
        assert eventually(lambda: room.knows(*known), every=0.01)
        took.append(time.monotonic() - begin)
    assert min(took) < 0.5


def test_wiped_redis_is_noticed_and_the_hosts_asked_for_again(room: Room):
    room.publish(make_host("a"), is_full=True)
    room.feed.start()
    assert eventually(lambda: room.hosts.is_filled)
    room.client.flushall()
    assert eventually(lambda: room.asked >= 1)
    assert room.knows("a"), "what is known is not forgotten"
    room.publish(make_host("b"), is_full=True)
    assert eventually(lambda: room.knows("b"))


def test_wipe_hidden_by_new_changes_is_noticed_too(room: Room):
    room.publish(make_host("a"), is_full=True)
    room.feed.start()
    assert eventually(lambda: room.hosts.is_filled)
    with room.client.pipeline(transaction=True) as pipeline:
        pipeline.flushall()
        pipeline.xadd(HOST_FEED, {"hosts": json.dumps([make_host("c").to_wire()]), "full": "0"})
        pipeline.execute()
    assert eventually(lambda: room.asked >= 1), "the entry's id is larger than any seen, yet others were lost"
    assert eventually(lambda: room.knows("a", "c"))


def test_entries_trimmed_before_they_were_read_are_noticed(room: Room):
    room.publish(make_host("a"), is_full=True)
    room.feed.start()
    assert eventually(lambda: room.hosts.is_filled)
    with room.client.pipeline(transaction=True) as pipeline:
        for name in ("b", "c", "d"):
            pipeline.xadd(HOST_FEED, {"hosts": json.dumps([make_host(name).to_wire()]), "full": "0"})
        pipeline.xtrim(HOST_FEED, maxlen=1, approximate=False)
        pipeline.execute()
    assert eventually(lambda: room.asked >= 1)


def test_feed_survives_a_restart_of_redis(room: Room):
    room.publish(make_host("a"), is_full=True)
    room.feed.start()
    assert eventually(lambda: room.hosts.is_filled)
    room.server.stop()
    assert room.knows("a")
    room.server.start()
    assert eventually(lambda: room.asked >= 1)
    room.publish(make_host("b"), is_full=True)
    assert eventually(lambda: room.knows("b"))


def test_unreadable_entries_do_not_stop_the_feed(room: Room):
    room.publish(make_host("a"), is_full=True)
    room.feed.start()
    room.client.xadd(HOST_FEED, {"hosts": "nonsense", "full": "1"})
    room.client.xadd(HOST_FEED, {"something": "else"})
    room.publish(make_host("b"))
    assert eventually(lambda: room.knows("a", "b"))


def test_old_snapshot_is_asked_for_again(redis_server: RedisServer):
    asked: list[int] = []
    settings = Settings(redis_url=redis_server.url, resync_seconds=0.1)
    feed = HostFeed(settings, KnownHosts(settings.promise_seconds), lambda: asked.append(1))
    with closing(redis_server.client()) as client:
        client.xadd(HOST_FEED, {"hosts": json.dumps([make_host("a").to_wire()]), "full": "1"})
    feed.start()
    try:
        assert eventually(lambda: bool(asked))
    finally:
        feed.stop()


def test_conductor_out_of_reach_does_not_stop_the_feed(redis_server: RedisServer):
    def fail() -> None:
        raise ConnectionError("no broker")

    settings = Settings(redis_url=redis_server.url)
    hosts = KnownHosts(settings.promise_seconds)
    feed = HostFeed(settings, hosts, fail)
    feed.start()
    try:
        with closing(redis_server.client()) as client:
            client.xadd(HOST_FEED, {"hosts": json.dumps([make_host("a").to_wire()]), "full": "1"})
        assert eventually(lambda: hosts.is_filled)
    finally:
        feed.stop()
