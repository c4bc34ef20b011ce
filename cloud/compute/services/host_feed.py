"""Tells the schedulers how hosts stand. A feed that is away costs freshness only: the claim decides."""

import logging
from collections.abc import Collection
from contextlib import suppress
from functools import cache

import msgspec
import redis
from django.conf import settings
from django.db import transaction

from cloud.compute.services.host_states import host_states
from contracts.scheduling import HOST_FEED, HOST_FEED_LENGTH, HostState

_log = logging.getLogger(__name__)
_SECONDS = 2.0
_TRIES = 3


def publish(hosts: Collection[str]) -> None:
    """Send, once the current transaction has committed, how these hosts stand then."""
    names = sorted({host for host in hosts if host})
    if names:
        transaction.on_commit(lambda: _send(host_states(names), is_full=False), robust=True)


def publish_all() -> None:
    """Send now how all hosts stand; a scheduler forgets those that are not named."""
    for _ in range(_TRIES):
        newest = _newest()
        sent = _send(host_states(), is_full=True)
        # What others sent since the states were read is undone by this: a new host would be forgotten.
        if sent is None or _newest(before=sent) == newest:
            return


def _newest(before: bytes | None = None) -> bytes | None:
    """Return the id of the newest entry, or of the one before another."""
    with suppress(redis.RedisError):
        found = _client(settings.REDIS_URL).xrevrange(HOST_FEED, max=b"(" + before if before else b"+", count=1)
        return found[0][0] if found else None
    return None


def _send(states: list[HostState], *, is_full: bool) -> bytes | None:
    """Send an entry, and return its id, or None where the feed is away."""
    entry = {"hosts": msgspec.json.encode(states), **({"full": "1"} if is_full else {})}
    try:
        return _client(settings.REDIS_URL).xadd(HOST_FEED, entry, maxlen=HOST_FEED_LENGTH, approximate=True)
    except redis.RedisError as error:
        _log.warning("the host feed is away, schedulers will hear of %d hosts later: %s", len(states), error)
        return None


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, health_check_interval=25
    )
