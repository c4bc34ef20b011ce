"""What an agent that has nothing to do leaves to Redis: as little as can be, for there are ten thousand of them."""

import contextlib
import time

import pytest
from kombu import Connection

from compute_agent import bootstrap
from compute_agent.app import AgentProcess
from compute_agent.broker import TRANSPORT
from compute_agent.clock import BrokerClock
from compute_agent.settings import Settings
from contracts.compute import ECHO
from contracts.routing import INBOUND_QUEUE
from tests.fixtures.redis import start_redis

_PATIENCE_SECONDS = 60.0


@pytest.fixture
def settings(redis_server, tmp_path):
    return Settings.from_environment({
        "NOVELLA_HOST": "h1", "NOVELLA_HYPERVISOR": "fake", "NOVELLA_CREDENTIAL": "h1", "NOVELLA_HOST_KEY": "00" * 32,
        "REDIS_URL": redis_server.url, "NOVELLA_STATE_DIR": str(tmp_path),
    })  # fmt: skip


def _comes_to(count, expected):
    """Wait until a number is what it should be: Redis hears of a connection's end a moment later."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while count() != expected and time.monotonic() < until:
        time.sleep(0.02)
    return count() == expected


@pytest.fixture
def quiet_redis():
    """A Redis to which nobody else has ever spoken."""
    server = start_redis()
    yield server
    server.stop()


def test_who_only_writes_keeps_one_connection(quiet_redis):
    with contextlib.closing(quiet_redis.client()) as client:

        def others():
            return len(client.client_list()) - 1

        with Connection(quiet_redis.url, transport=TRANSPORT) as connection:
            connection.channel()
            assert _comes_to(others, 0), "none before there is anything to say"
            with connection.Producer() as producer:
                producer.publish({"a": 1}, routing_key=INBOUND_QUEUE, exchange="")
            assert client.llen(INBOUND_QUEUE) == 1
            assert _comes_to(others, 1)


def test_nobody_is_told_that_an_agent_speaks_to_itself(settings):
    agent = AgentProcess(settings, bootstrap.build_agent(settings), BrokerClock(time.time))
    assert agent.app.tasks[ECHO].send_events is False
