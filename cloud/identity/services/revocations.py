"""What ends a token before its time, and how every process hears of it at once.

A change that may take rights away counts the database's epoch up in its own transaction and, after commit, writes a
new mark to Redis. A process keeps what it knows of tokens only while both stay as they were. It looks at Redis for each
request; at the database where Redis does not answer, and every few seconds in any case, so that a mark which could not
be written delays a revocation but cannot lose it.
"""

import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

import redis
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from cloud.identity.models import Revocation, RevocationEpoch

_log = logging.getLogger(__name__)
KEY = "novella:revocations"
_REDIS_TIMEOUT_SECONDS = 0.25
_REDIS_PAUSE_SECONDS = 1.0
_DATABASE_CHECK_SECONDS = 10.0
_ROW = 1

# What Redis said and what the database said.
Stamp = tuple[str, int]


def bump() -> None:
    """Make every process forget what it knows of tokens, once the current transaction has committed."""
    with transaction.atomic():
        if not RevocationEpoch.objects.filter(pk=_ROW).update(number=F("number") + 1):
            RevocationEpoch.objects.bulk_create([RevocationEpoch(pk=_ROW)], ignore_conflicts=True)
            RevocationEpoch.objects.filter(pk=_ROW).update(number=F("number") + 1)
        transaction.on_commit(_epoch.publish)


def revoke(audit_id: str, expires_at: datetime) -> None:
    """Refuse one token from now on."""
    with transaction.atomic():
        Revocation.objects.filter(expires_at__lt=timezone.now()).delete()
        Revocation.objects.bulk_create([Revocation(audit_id=audit_id, expires_at=expires_at)], ignore_conflicts=True)
        bump()


def stamp() -> Stamp:
    """Return what stays equal for as long as no token lost a right."""
    return _epoch.stamp()


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _read_mark(client: redis.Redis) -> str:
    mark = client.get(KEY)
    if mark is None:
        # Redis lost it, and revocations with it perhaps: a mark that nobody has seen makes everybody forget.
        client.set(KEY, secrets.token_hex(8), nx=True)
        mark = client.get(KEY)
    return str(mark or "")


def _write_mark(client: redis.Redis) -> str:
    mark = secrets.token_hex(8)
    client.set(KEY, mark)
    return mark


class _Epoch:
    """This process's view of the epoch."""

    def __init__(self) -> None:
        self._number = -1
        self._checked_at = 0.0
        self._redis_pauses_until = 0.0
        self._is_unpublished = False
        self._is_redis_away = False

    def stamp(self) -> Stamp:
        mark = self._mark()
        is_due = time.monotonic() - self._checked_at >= _DATABASE_CHECK_SECONDS
        if not mark or is_due or self._number < 0:
            self._number = self._read_database()
            self._checked_at = time.monotonic()
        return mark, self._number

    def publish(self) -> None:
        """Write a new mark; where Redis is away, remember to do so later."""
        # Whatever Redis says: this process itself must not trust what it read before.
        self._checked_at = 0.0
        self._ask(_write_mark)

    def _mark(self) -> str:
        if time.monotonic() < self._redis_pauses_until:
            return ""
        if self._is_unpublished:
            self._ask(_write_mark)
        return self._ask(_read_mark)

    def _ask(self, question: Callable[[redis.Redis], str]) -> str:
        if not settings.REDIS_URL.startswith(("redis", "unix")):
            return ""
        # A flag that another thread raises meanwhile must survive: it is lowered first, and raised again on failure.
        self._is_unpublished = self._is_unpublished and question is not _write_mark
        try:
            answer = question(_client(settings.REDIS_URL))
            self._is_redis_away = False
            return answer
        except redis.RedisError as error:
            if not self._is_redis_away:
                _log.warning("revocations are read from the database: Redis does not answer (%s)", error)
            self._is_redis_away = True
            self._redis_pauses_until = time.monotonic() + _REDIS_PAUSE_SECONDS
            self._is_unpublished = self._is_unpublished or question is _write_mark
            return ""

    @staticmethod
    def _read_database() -> int:
        return RevocationEpoch.objects.filter(pk=_ROW).values_list("number", flat=True).first() or 0


_epoch = _Epoch()
