"""A broker that is dead, silent or full costs a moment and no traceback, and its return is noticed."""

import os
import signal
import time
from datetime import timedelta

import pytest
from celery import Celery, chain, chord
from django.test import override_settings

from cloud.compute.models import Operation
from cloud.conductor.reconcile.losses import BrokerWatch
from cloud.core import rpc
from cloud.core.clock import database_now
from contracts.broker import SOCKET_TIMEOUT_SECONDS, celery_settings
from tests.factories.instances import make_instance
from tests.factories.operations import begin_build
from tests.fixtures.redis import start_redis

SECONDS = 80.0
# How much sooner than usual a silent Redis is given up here.
HASTE = 4.0
# Celery's result that nobody keeps wants to unsubscribe when it is collected, and says that it could not.
_DROPPED = "ignore:Exception ignored in. <function AsyncResult.__del__"
pytestmark = pytest.mark.filterwarnings(f"{_DROPPED}:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def server():
    found = start_redis()
    yield found
    found.stop()


def hasty(settings):
    """Return Celery's settings with shorter waits for a Redis that is silent."""
    seconds = SOCKET_TIMEOUT_SECONDS / HASTE
    timeouts = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    options = ("broker_transport_options", "result_backend_transport_options")
    return {
        **settings,
        **{name: {**settings[name], **timeouts} for name in options},
        **{f"redis_{name}": seconds for name in timeouts},
    }


@pytest.fixture(params=["single", "chain", "chord", "result"])
def launch(request, server, monkeypatch):
    """What sends one canvas through the launcher's door."""
    app = Celery("away", set_as_current=False)
    app.conf.update(hasty(celery_settings(server.url)))

    def one(name, *, keep=False):
        return app.signature(name, queue="q", immutable=True, ignore_result=not keep)

    canvases = {
        "single": lambda: one("a"),
        "chain": lambda: chain(one("a"), one("b"), app=app),
        "chord": lambda: chord([one("a", keep=True), one("b", keep=True)], one("c"), app=app),
        "result": lambda: one("a", keep=True),
    }
    monkeypatch.setitem(rpc._workflows, "away", lambda ids: [canvases[request.param]()])
    yield lambda: rpc.launch_now("away", ["1"])
    app.backend.result_consumer._pubsub = None  # a result that is dropped later finds nothing to unsubscribe from
    app.close()


def fill(server):
    with server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.set("fill", "x" * 5_000_000)
        client.config_set("maxmemory", 1_000_000)


def empty(server):
    with server.client() as client:
        client.config_set("maxmemory", 0)


def pause(server, number):
    with server.client() as client:
        pid = client.info("server")["process_id"]
    os.kill(pid, number)
    return pid


def test_a_dead_broker_is_away(server, launch):
    assert launch()
    server.stop()
    begun = time.monotonic()
    assert not launch()
    assert time.monotonic() - begun < SECONDS


def test_a_silent_broker_is_away(server, launch):
    assert launch()
    pid = pause(server, signal.SIGSTOP)
    begun = time.monotonic()
    try:
        assert not launch()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert time.monotonic() - begun < SECONDS / HASTE


def test_a_full_broker_is_away(server, launch):
    assert launch()
    fill(server)
    assert not launch()


def test_an_error_of_our_own_is_no_broker_that_is_away(monkeypatch):
    def broken(ids):
        raise RuntimeError("of our own")

    monkeypatch.setitem(rpc._workflows, "broken", broken)
    with pytest.raises(RuntimeError, match="of our own"):
        rpc.launch_now("broken", ["1"])


@pytest.mark.django_db
def test_a_redis_that_took_nothing_for_a_while_is_noticed(server, monkeypatch):
    monkeypatch.setattr("cloud.conductor.reconcile.losses._LOOK_SECONDS", 0.0)
    begin_build(make_instance())
    Operation.objects.update(resend_at=database_now() + timedelta(seconds=120))
    watch = BrokerWatch()
    with override_settings(REDIS_URL=server.url):
        watch.look()
        fill(server)
        watch.look()
        assert Operation.objects.get().resend_at > database_now()
        empty(server)
        watch.look()
    assert Operation.objects.get().resend_at <= database_now()
