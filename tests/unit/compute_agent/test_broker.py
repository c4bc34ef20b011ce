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
from contracts.routing import INBOUND_QUEUE, compute_queue
from tests.fixtures.redis import start_redis

_PATIENCE_SECONDS = 60.0
ORDER = "compute.v1.spawn_server"


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


@pytest.fixture
def wire(quiet_redis):
    """A channel of an agent, a function that sends one message there and takes it off its queue, and Redis' client."""
    queue = compute_queue("h1")
    with contextlib.closing(quiet_redis.client()) as client, Connection(quiet_redis.url, transport=TRANSPORT) as line:
        channel = line.channel()

        def take(task):
            line.Producer(channel).publish({}, routing_key=queue, exchange="", headers={"task": task})
            message = channel.basic_get(queue)
            assert message.headers["task"] == task
            return message

        yield channel, take, client


def _in_work(client):
    assert client.hlen("unacked") == client.zcard("unacked_index")
    return client.hlen("unacked")


def test_what_an_agent_says_to_itself_is_not_noted_as_in_work(wire):
    channel, take, client = wire
    channel.qos.prefetch_count = 2
    echo = take(ECHO)
    assert _in_work(client) == 0
    order = take(ORDER)
    assert _in_work(client) == 1
    assert not channel.qos.can_consume(), "it takes a place all the same"
    echo.ack()
    assert channel.qos.can_consume()
    assert _in_work(client) == 1
    order.ack()
    assert _in_work(client) == 0
    assert channel.qos.can_consume_max_estimate() == 2


@pytest.mark.parametrize("is_back", [True, False])
def test_of_what_is_refused_an_order_can_come_back(wire, is_back):
    channel, take, client = wire
    take(ECHO).reject(requeue=is_back)
    assert client.llen(compute_queue("h1")) == 0
    take(ORDER).reject(requeue=is_back)
    assert client.llen(compute_queue("h1")) == is_back
    assert _in_work(client) == 0
    channel.qos.prefetch_count = 1
    assert channel.qos.can_consume(), "neither counts any more"


def test_who_ends_puts_back_his_orders_only(wire):
    channel, take, client = wire
    take(ECHO)
    take(ORDER)
    channel.qos.restore_unacked()
    assert _in_work(client) == 0
    assert client.llen(compute_queue("h1")) == 1
