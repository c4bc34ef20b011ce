"""Celery's broker: kombu's memory transport, with one store of messages whose contents and order the run decides."""

import base64
import copy
import json
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import redis
from kombu.transport import TRANSPORT_ALIASES, memory, virtual

from contracts.compute import COMMANDS, REMOVE_RESIDUE
from tests.chaos.sim.boundaries import Boundaries
from tests.chaos.sim.clock import Clock
from tests.chaos.sim.redis_memory import MemoryRedis

# What a worker took and did not acknowledge comes back after this time: `visibility_timeout` of contracts.broker.
VISIBLE_AGAIN_SECONDS = 3600.0
_REMEMBERED = 200
Message = dict[str, Any]


class Wire:
    """The queues, and what happens to messages on their way into them."""

    def __init__(self, clock: Clock, boundaries: Boundaries, server: MemoryRedis) -> None:
        self._clock, self._boundaries, self._server = clock, boundaries, server
        self.queues: dict[str, deque[Message]] = {}
        # What hosts were told, in that order.
        self.orders: deque[tuple[str, Message]] = deque(maxlen=_REMEMBERED)
        self._epoch = 0
        # Tells what becomes of a message that is published: copies of it, none, or itself.
        self.delivery: Callable[[str, Message], list[tuple[str, Message]]] = lambda queue, message: [(queue, message)]

    def put(self, queue: str, message: Message) -> None:
        label = name_of(message)
        self._boundaries.cross("publish.before", label)
        self._server.check()
        self._stamp(message)
        if message["headers"]["task"] in COMMANDS:
            self.orders.append((queue, copy_of(message)))
        for where, one in self.delivery(queue, message):
            self.enqueue(where, one)
        self._boundaries.cross("publish.after", label)

    def enqueue(self, queue: str, message: Message) -> None:
        self.queues.setdefault(queue, deque()).append(message)

    def take(self, queue: str) -> Message | None:
        """Return the next message of a queue that has not expired; None where there is none."""
        waiting = self.queues.get(queue)
        while waiting:
            message = waiting.popleft()
            if message["headers"].get("simulated_until", float("inf")) >= self._clock.now:
                return message
        return None

    def waiting(self) -> list[str]:
        return [] if self._server.is_away else sorted(queue for queue, found in self.queues.items() if found)

    def keep_unacknowledged(self, queue: str, message: Message) -> None:
        """Hold what a dead worker had taken until it is visible again, unless Redis is wiped before."""
        epoch = self._epoch

        def restore() -> None:
            if epoch == self._epoch:
                self.enqueue(queue, redelivered(message))

        self._clock.after(VISIBLE_AGAIN_SECONDS, restore)

    def purge(self, queue: str) -> int:
        self._server.check()
        return len(self.queues.pop(queue, ()))

    def wipe(self) -> None:
        self.queues.clear()
        self._epoch += 1

    def _stamp(self, message: Message) -> None:
        """Note until when a message is good, by the virtual clock; a worker would go by the machine's."""
        headers = message["headers"]
        if headers.get("expires"):
            headers["simulated_until"] = datetime.fromisoformat(headers["expires"]).timestamp()
            headers["expires"] = None


def name_of(message: Message) -> str:
    return str(message["headers"]["task"]).rsplit(".", 1)[-1]


def instance_of(order: Message) -> str:
    """Return the server that an order is about."""
    return str(_words_of(order)["instance_uuid"])


def errand_of(order: Message) -> tuple[str, str]:
    """Return what an agent tells orders of an instance apart by: operation and step, or the step alone without one."""
    words = _words_of(order)
    step = str(words["step"])
    return ("" if step == REMOVE_RESIDUE else str(words["operation_id"])), step


def _words_of(order: Message) -> dict[str, Any]:
    arguments, *_ = json.loads(base64.b64decode(order["body"]))
    return dict(arguments[0])


def copy_of(message: Message) -> Message:
    return copy.deepcopy(message)


def redelivered(message: Message) -> Message:
    return {**copy_of(message), "redelivered": True}


class Channel(memory.Channel):
    """A channel whose queues are the wire's."""

    wire: Wire

    def _put(self, queue: str, message: Message, **kwargs: Any) -> None:
        self.wire.put(queue, message)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return True

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        return

    def _size(self, queue: str) -> int:
        return len(self.wire.queues.get(queue, ()))

    def _purge(self, queue: str) -> int:
        return self.wire.purge(queue)

    def close(self) -> None:
        virtual.Channel.close(self)


class Transport(memory.Transport):
    """Fails as the transport for Redis does."""

    Channel = Channel
    connection_errors = (*virtual.Transport.connection_errors, redis.ConnectionError)


TRANSPORT_ALIASES["simulated"] = f"{__name__}:Transport"
