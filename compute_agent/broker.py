"""Kombu's Redis transport for a user that may do nothing but read its own queues and write to one other.

The stock transport records bindings for everybody to read, asks how long a queue is before it writes there, and takes
a lock by a script. An agent's Redis user may do none of these: its queues are reached by their names, what waits in
the conductor's queue is not its business, and what it has in work lies under keys that no other process touches.
"""

from collections.abc import Sequence
from functools import cache
from time import monotonic, time
from typing import Any

from kombu.transport import virtual

from contracts.compute import ECHO
from contracts.workers import transport

TRANSPORT = "compute_agent.broker:Transport"


class QoS(transport.QoS):
    """Notes what is in work until it is acknowledged, and takes back what was not. No lock: nobody else takes it.

    A call to oneself is not noted: whoever ended before he heard it needs it no more, and each note is eight commands.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._unnoted: set[str] = set()

    def append(self, message: Any, delivery_tag: str) -> None:
        """See kombu."""
        if message.headers.get("task") == ECHO:
            self._unnoted.add(delivery_tag)
            virtual.QoS.append(self, message, delivery_tag)  # type: ignore[no-untyped-call]
        else:
            super().append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """See kombu."""
        if not self._forget(delivery_tag):
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        """See kombu."""
        if not self._forget(delivery_tag):
            super().reject(delivery_tag, requeue=requeue)  # type: ignore[no-untyped-call]

    def _forget(self, delivery_tag: str) -> bool:
        """Acknowledge what was not noted; tell whether it is such."""
        if delivery_tag not in self._unnoted:
            return False
        self._unnoted.discard(delivery_tag)
        virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
        return True

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """See kombu."""
        self._vrestore_count += 1
        if (self._vrestore_count - 1) % (interval or 1):
            return
        with self.channel.conn_or_acquire() as client:
            overdue = client.zrange(
                self.unacked_index_key, time() - self.visibility_timeout, 0, desc=True, byscore=True,
                offset=num and start, num=num,
            )  # fmt: skip
            for tag in overdue or ():
                self.restore_by_tag(tag, client)  # type: ignore[no-untyped-call]


class Channel(transport.Channel):
    """Queues by name."""

    QoS = QoS
    from_transport_options = (*transport.Channel.from_transport_options, "credential_provider")  # type: ignore[assignment]
    credential_provider: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """See kombu, which asks by a connection of its own whether Redis is there, and keeps it; most never need it."""
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.async_pool.disconnect()

    def _connparams(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Have each connection begin with the password of that moment."""
        params: dict[str, Any] = super()._connparams(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._process_credential_provider(self.credential_provider, params)  # type: ignore[no-untyped-call]
        return params

    @property
    def active_queues(self) -> list[str]:
        """See kombu, which looks for queues of broadcasts among two thousand, twice for each order."""
        return self._active_queues

    def _queue_bind(self, *_: Any) -> None:
        """Messages are sent to a queue's name, not through an exchange."""

    def _size(self, queue: str) -> int:
        return 0

    def _brpop_start(self, timeout: float | None = None) -> None:
        """See kombu. Who speaks for a thousand hosts waits at two thousand queues, and says so after each order."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        wait_seconds = self.brpop_timeout if timeout is None else timeout
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()  # type: ignore[assignment]
        self.client.connection.send_packed_command([wait_command(queues, wait_seconds)])


def wait_command(queues: Sequence[str], wait_seconds: float) -> bytes:
    """Return the command that takes a message from the first of these queues that has one, as Redis reads it."""
    words = ("BRPOP", *queues, str(wait_seconds or 0))
    return b"".join([b"*%d\r\n" % len(words), *map(_word, words)])


@cache
def _word(text: str) -> bytes:
    # Kept for as long as the process: no more than it has queues.
    encoded = text.encode()
    return b"$%d\r\n%b\r\n" % (len(encoded), encoded)


class Transport(transport.Transport):
    """See the module. `brpop_timeout`: an order is read when it comes, and only who has none asks again after so long.

    With kombu's one second, ten thousand hosts that have nothing to do take almost half of Redis' one processor.
    """

    Channel = Channel
    brpop_timeout = 5
