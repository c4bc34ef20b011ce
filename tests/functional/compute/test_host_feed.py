"""Schedulers are told how hosts stand: after the commit, and so that none is forgotten."""

import contextlib
import json

import pytest

from cloud.compute.services import host_feed
from cloud.compute.services.host_states import host_states
from contracts.scheduling import HOST_FEED
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db


def test_the_feed_carries_states_after_commit(redis_server, settings, django_capture_on_commit_callbacks):
    settings.REDIS_URL = redis_server.url
    make_host("a")
    client = redis_server.client()
    with django_capture_on_commit_callbacks(execute=True):
        host_feed.publish(["a", "", "stranger"])
        assert not client.exists(HOST_FEED)
    host_feed.publish_all()
    (_, change), (_, full) = client.xrange(HOST_FEED)
    client.close()
    assert [one["host"] for one in json.loads(change["hosts"])] == ["a"]
    assert full["full"] == "1"


def test_a_host_that_comes_while_all_are_told_is_not_forgotten(redis_server, settings, monkeypatch):
    settings.REDIS_URL = redis_server.url
    make_host("a")
    comers = ["b"]

    def read(names=None):
        states = host_states(names)
        if comers:  # another conductor hears of it, after this one has read
            make_host(comers.pop())
            host_feed._send(host_states(["b"]), is_full=False)
        return states

    monkeypatch.setattr(host_feed, "host_states", read)
    with contextlib.closing(redis_server.client()) as client:
        client.delete(HOST_FEED)
        host_feed.publish_all()
        told = [sorted(one["host"] for one in json.loads(entry["hosts"])) for _, entry in client.xrange(HOST_FEED)]
    assert told == [["b"], ["a"], ["a", "b"]]


def test_a_feed_that_is_away_stops_nobody(settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    host_feed.publish_all()
    assert "the host feed is away" in caplog.text
