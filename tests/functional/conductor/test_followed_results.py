"""Whoever sends a canvas follows no result of it: neither an object nor a subscription is left."""

import uuid

import pytest
from celery import chord

from cloud.config.celery import app as cloud_app
from cloud.core import rpc
from cloud.core.errors import Unavailable
from contracts.compute import GetConsoleOutput
from tests.fixtures.clouds import wait_until
from tests.fixtures.redis import start_redis
from tests.fixtures.workers import celery_at


@pytest.fixture
def server():
    found = start_redis()
    yield found
    found.stop()


@pytest.fixture
def app(server):
    with celery_at(server.url):
        app = rpc.current_app._get_current_object()
        app.loader.override_backends = cloud_app.loader.override_backends
        yield app


def followed(app, server):
    with server.client() as client:
        return [*app.backend._pending_results.concrete, *client.pubsub_channels()]


def test_the_members_of_chords_are_not_followed(app, server, monkeypatch):
    def one(name, *, keep):
        return app.signature(name, queue="q", immutable=True, ignore_result=not keep)

    monkeypatch.setitem(
        rpc._workflows, "some", lambda ids: [chord([one("a", keep=True), one("b", keep=True)], one("c", keep=False))]
    )
    for _ in range(3):
        assert rpc.launch_now("some", ["1"])
    with server.client() as client:
        assert client.llen("q") == 6
    wait_until(lambda: not followed(app, server), "nothing to be followed")


def test_an_answer_that_never_came_is_not_followed_for_ever(app, server, monkeypatch):
    monkeypatch.setattr(rpc, "_key_of", [lambda host: None])
    order = GetConsoleOutput(
        operation_id=str(uuid.uuid4()), step="console", instance_uuid=str(uuid.uuid4()), host="h1", attempt=1,
        not_after=2e9,
    )
    with pytest.raises(Unavailable):
        rpc.call(order, 0.2)
    wait_until(lambda: not followed(app, server), "nothing to be followed")
