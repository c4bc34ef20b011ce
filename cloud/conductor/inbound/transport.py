"""Kombu's Redis transport with a gate: what was popped from the inbound queue is proven and made anew, or dropped.

Only here is it known which queue a message was really taken from: what a message says of that is its publisher's word.
The gate stands before kombu reads the message, so that one which is no message at all does not end the worker.

Whoever comes to the inbound queue sorts what else waits there: most of it ends at the gate, what came of orders goes to
one queue and hosts' reports to another, so that builds do not wait behind a thousand hosts that say how they are.
"""

from collections import defaultdict
from typing import Any

from cloud.conductor.inbound.gate import gate
from cloud.conductor.inbound.messages import queue_of
from contracts.inbound import REPORTS
from contracts.routing import CONDUCTOR_QUEUE, INBOUND_QUEUE
from contracts.workers import fast_json, transport

_AT_ONCE = 50


def _opened(queue: str, item: bytes) -> dict[str, Any] | None:
    if queue == INBOUND_QUEUE:
        return gate.admit(item)
    message: dict[str, Any] = fast_json.loads(item)
    # Agents of the first release report straight to the conductor.
    is_report = queue == CONDUCTOR_QUEUE and message["headers"].get("task") in REPORTS
    return gate.admit(item) if is_report else message


class Channel(transport.Channel):
    """Reads queues; the inbound one through the gate."""

    def _take(self, queue: str, item: bytes) -> None:
        self._queue_cycle.rotate(queue)
        message = _opened(queue, item)
        if message is not None:
            self.connection._deliver(message, queue)  # noqa: SLF001 - as kombu's own does
        if queue == INBOUND_QUEUE:
            self._sort()

    def _sort(self) -> None:
        """Read on in the inbound queue, and put what is let in where it is worked on by its kind."""
        with self.conn_or_acquire() as client:
            let_in = defaultdict(list)
            for raw in client.rpop(INBOUND_QUEUE, _AT_ONCE) or ():
                message = gate.admit(raw)
                if message is not None:
                    let_in[queue_of(message)].append(fast_json.dumps(message))
            for queue, messages in let_in.items():
                client.lpush(queue, *messages)


class Transport(transport.Transport):
    """See the module."""

    Channel = Channel
