"""What a crash may have taken with it is sent again soon, not when its own silence has lasted long enough.

A conductor that dies takes the messages that it held, and those that it was about to send. A Redis that was wiped or
began anew has lost queues, and the counters of chords. Whatever was not lost does no harm when it comes twice.
"""

import logging
import time
from datetime import timedelta

import redis
from django.conf import settings

from cloud.compute.models import Operation
from cloud.compute.services import row_locks
from cloud.conductor.presence import client_of
from cloud.core.clock import database_now

_log = logging.getLogger(__name__)
_MARK = "novella:broker-run"
_PROBE = "novella:broker-probe"
_LOOK_SECONDS = 3.0
# What waits in a queue is most often carried out within this time.
_PATIENCE_SECONDS = 10.0


def repeat_soon(patience_seconds: float = _PATIENCE_SECONDS) -> int:
    """Let the current steps of all running operations be sent again soon; return how many operations run."""
    at = database_now() + timedelta(seconds=patience_seconds)
    return row_locks.send_soon(Operation.objects.all(), at)


def repeat_after_loss() -> None:
    """Notice a Redis that is not the one of last time, or no longer holds what it held, and repeat at once."""
    try:
        client = client_of(settings.REDIS_URL)
        run = client.info("server")["run_id"]
        before = client.set(_MARK, run, get=True)
    except redis.RedisError as error:
        _log.warning("Redis is away: %s", error)
        return
    if before != run:
        count = repeat_soon(0.0)
        _log.warning("Redis began anew or was wiped; %s running operations are sent again", count)


class BrokerWatch:
    """Sees that Redis is back after it was away, silent or full, though it is still the one of before."""

    def __init__(self) -> None:
        self._was_away = False
        self._looked_at = float("-inf")

    def look(self) -> None:
        """Write something every few seconds; repeat at once when that works again."""
        if time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            client_of(settings.REDIS_URL).set(_PROBE, "1", ex=60)
        except redis.RedisError as error:
            if not self._was_away:
                _log.warning("Redis takes nothing: %s", error)
            self._was_away = True
            return
        if self._was_away:
            count = repeat_soon(0.0)
            self._was_away = False
            _log.warning("Redis is back; %s running operations are sent again", count)
