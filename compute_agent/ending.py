"""What an agent does when it is told to end: it takes no new order, finishes what it can, and hands back the rest.

Celery waits for the orders in work as long as they take, and a supervisor that loses patience kills: what was in work
would then lie unseen until the conductor sends it again. So after a while the orders go back to the head of the queue
and the process ends; whoever reads the queue next looks at what is there and finishes it.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

# Within the 15 s after which supervisors kill.
PATIENCE_SECONDS = 8.0
_POLL_SECONDS = 0.1


class Ending:
    """Ends a worker that was told to, in time.

    Args:
        worker: Celery's.
        count: how many orders are in work.
        exit_now: ends the process.
    """

    def __init__(self, worker: Any, count: Callable[[], int], exit_now: Callable[[int], None] = os._exit) -> None:
        self._worker = worker
        self._count = count
        self._exit_now = exit_now
        self._thread = threading.Thread(target=self._run, name="ending", daemon=True)
        self._is_begun = False

    def begin(self, **_: Any) -> None:
        """Start to count. Whoever says it twice is in no less of a hurry the first time."""
        if not self._is_begun:
            self._is_begun = True
            self._thread.start()

    def _run(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while self._count() and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
        if self._count():
            log.warning("%d orders did not end in time and go back to the queue", self._count())
            self._hand_back()
            self._exit_now(0)

    def _hand_back(self) -> None:
        try:
            for error, message in self._worker.consumer.task_consumer.channel.qos.restore_unacked():
                log.warning("order %s was not handed back: %s", message.delivery_tag, error)
        except Exception as exc:  # noqa: BLE001 - a broker that is away takes nothing; the conductor sends them again
            log.warning("the broker takes nothing back: %s: %s", type(exc).__name__, exc)
