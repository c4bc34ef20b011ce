"""The processes' transports speak to Redis by one client each, for as long as its connections are the same."""

import pytest
from kombu import Connection

import compute_agent.broker
from cloud.conductor.inbound import transport


@pytest.mark.parametrize("kind", [compute_agent.broker.Transport, transport.Transport])
def test_a_client_is_kept_until_its_connections_are_other_ones(redis_server, kind):
    with Connection(redis_server.url, transport=kind) as connection:
        channel = connection.channel()
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
            assert first.ping()
        with channel.conn_or_acquire(client=first.pipeline().ping()) as given:
            assert given.execute() == [True]
        channel._disconnect_pools()
        with channel.conn_or_acquire() as third:
            assert third is not first
            assert third.ping()
            assert channel.client is not third, "who waits for messages has his own"
