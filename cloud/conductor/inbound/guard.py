"""Who floods the inbound queue is cut off, and what the flood left there is sifted, so that others are heard.

A word names its host. Garbage names nobody: then Redis is asked whose connections write all the time, and the one of
them that has said the least that made sense goes first. An operator sees the reason and may let it come again.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping

import redis
from django.db import DatabaseError

from cloud.compute.services import broker_users, host_credentials
from cloud.conductor.inbound.gate import Gate
from cloud.conductor.inbound.words import Refused
from contracts.routing import INBOUND_QUEUE

_log = logging.getLogger(__name__)
_GARBAGE_A_LOOK = 200
_LOOKS = 3
_SAMPLES = 5
_SAMPLE_SECONDS = 0.02
_LONG_QUEUE = 2_000
_SIFT_AT_ONCE = 500
_SIFT_SECONDS = 0.5
# What a flood left in the queue proves nothing against who writes now.
_REST_SECONDS = 30.0


class Guard:
    """Looks once a second at what the gate saw."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._seen = gate.unproven
        self._looks = 0
        self._writing: Counter[str] = Counter()
        self._rest_until = 0.0
        self._has_garbage = False

    def look(self) -> None:
        """Cut off who floods; sift a queue that is too long to be read one by one."""
        try:
            self._end_loud()
            self._end_nameless()
            self._sift()
        except (redis.RedisError, DatabaseError) as error:
            _log.warning("the inbound queue is not guarded now: %s", error)

    def _end_loud(self) -> None:
        while self._gate.flooding:
            host = self._gate.flooding.pop()
            self._suspend(self._gate.credential_of(host), f"host {host} flooded the conductor with signed words")

    def _end_nameless(self) -> None:
        garbage, self._seen = self._gate.unproven - self._seen, self._gate.unproven
        self._has_garbage = garbage > 0
        if garbage < _GARBAGE_A_LOOK or time.monotonic() < self._rest_until:
            self._forget()
            return
        for _ in range(_SAMPLES):
            self._writing.update(writers(broker_users.connections()))
            time.sleep(_SAMPLE_SECONDS)
        self._looks += 1
        if self._looks < _LOOKS:
            return
        always = [name for name, seen in self._writing.items() if seen >= _LOOKS * _SAMPLES - 1]
        if always:
            name = min(always, key=lambda one: self._gate.proven[one])
            self._suspend(name, "its Redis user flooded the conductor with what nobody had signed")
        else:
            _log.error("%d messages a second come from nobody knows whom; no host writes all the time", garbage)
        self._forget()

    def _forget(self) -> None:
        self._looks = 0
        self._writing.clear()
        self._gate.proven.clear()

    def _suspend(self, name: str, reason: str) -> None:
        self._rest_until = time.monotonic() + _REST_SECONDS
        if name and host_credentials.suspend(name, reason):
            _log.error("credential %s is switched off: %s", name, reason)

    def _sift(self) -> None:
        """Drop what nobody has proven from a long queue, many at once. What is lost in a crash is said again."""
        if not self._has_garbage:
            return
        until = time.monotonic() + _SIFT_SECONDS
        kept: list[bytes] = []
        dropped = 0
        while time.monotonic() < until and broker_users.queue_length(INBOUND_QUEUE) > _LONG_QUEUE:
            batch = broker_users.take_from(INBOUND_QUEUE, _SIFT_AT_ONCE)
            good = [raw for raw in batch if self._is_word(raw)]
            kept += good
            dropped += len(batch) - len(good)
            if len(kept) > _LONG_QUEUE:
                break
        if kept:
            broker_users.put_first(INBOUND_QUEUE, kept)
        if dropped:
            self._gate.unproven += dropped
            _log.warning("dropped %d messages that nobody had signed from a long queue", dropped)

    def _is_word(self, raw: bytes) -> bool:
        try:
            self._gate.read(raw)
        except Refused:
            return False
        return True


def writers(connections: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the credentials that write at this moment."""
    writing = (one for one in connections if one.get("cmd") in {"lpush", "exec", "multi"} and one.get("idle") == "0")
    return {name for name in (broker_users.credential_name(one.get("user", "")) for one in writing) if name}
