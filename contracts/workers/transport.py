"""Kombu's Redis transport with one client a channel, and a fast library for what is JSON.

A build is some ten messages. What kombu does anew for each, a client of Redis first of all, takes longer than Redis.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from time import time
from typing import Any

from kombu.transport import redis, virtual

from contracts.workers import fast_json

fast_json.register()


class QoS(redis.QoS):
    """Notes what is in work until it is acknowledged."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """See kombu."""
        place = message.delivery_info
        noted = fast_json.dumps([message._raw, place["exchange"], place["routing_key"]])  # noqa: SLF001 - as kombu does
        with self.pipe_or_acquire() as pipe:
            pipe.zadd(self.unacked_index_key, {delivery_tag: time()})
            pipe.hset(self.unacked_key, delivery_tag, noted)
            pipe.execute()
        virtual.QoS.append(self, message, delivery_tag)  # type: ignore[no-untyped-call]


class Channel(redis.Channel):
    """Keeps its client."""

    QoS = QoS
    _kept_client: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """See kombu, which makes a client for each command, and takes longer for that than Redis for the command."""
        if client:
            yield client
            return
        if self._kept_client is None or self._kept_client.connection_pool is not self.pool:
            self._kept_client = self._create_client()  # type: ignore[no-untyped-call]
        yield self._kept_client

    def _put(self, queue: str, message: Any, **options: Any) -> None:
        if options.get("_publish_batch") is not None or queue in self._expires:
            super()._put(queue, message, **options)  # type: ignore[no-untyped-call]
            return
        key = self._q_for_pri(queue, self._get_message_priority(message, reverse=False))  # type: ignore[no-untyped-call]
        with self.conn_or_acquire() as client:
            client.lpush(key, fast_json.dumps(message))

    def _brpop_read(self, **options: Any) -> bool:
        """See kombu, whose own does the same."""
        try:
            try:
                popped = self.client.parse_response(self.client.connection, "BRPOP", **options)
            except self.connection_errors:
                self.client.connection.disconnect()
                raise
            if not popped:
                raise Empty
            self._take(popped[0].decode().rsplit(self.sep, 1)[0], popped[1])
            return True
        finally:
            self._in_poll = None  # type: ignore[assignment]
            self._flush_brpop_reauth()  # type: ignore[no-untyped-call]

    def _take(self, queue: str, item: bytes) -> None:
        """Hand a message that came from a queue to whoever consumes it."""
        self._queue_cycle.rotate(queue)
        self.connection._deliver(fast_json.loads(item), queue)  # noqa: SLF001 - as kombu's own does


class Transport(redis.Transport):
    """See the module."""

    Channel = Channel
