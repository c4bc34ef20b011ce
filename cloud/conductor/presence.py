"""Who of the control plane is there: conductors say so to the database, schedulers through Redis to a conductor."""

import logging
import socket
import time
from functools import cache

import redis
from django.conf import settings
from django.db.models.functions import Now

from cloud.compute.models import Service
from contracts.presence import PRESENCE, PRESENT_SECONDS, read_presence

_log = logging.getLogger(__name__)
CONDUCTOR = "nova-conductor"


def note_conductor() -> None:
    """Note that this conductor works."""
    _see(CONDUCTOR, socket.gethostname())


def note_schedulers() -> None:
    """Note the schedulers that said so lately; Redis' own clock judges."""
    try:
        client = client_of(settings.REDIS_URL)
        said = client.hgetall(PRESENCE)
        now, _ = client.time()
    except redis.RedisError as error:
        _log.warning("schedulers cannot be heard, Redis is away: %s", error)
        return
    for binary, host, at in read_presence(said):
        if now - at <= PRESENT_SECONDS:
            _see(binary, host)


def _see(binary: str, host: str) -> None:
    rows = Service.objects.filter(binary=binary, host=host)
    if not rows.update(last_seen_at=Now(), is_up=True, reported_at=time.time()):
        Service.objects.get_or_create(binary=binary, host=host, defaults={"last_seen_at": Now(), "started_at": Now()})


@cache
def client_of(url: str) -> redis.Redis:
    """Return this process' connection to a Redis, the same one every time."""
    return redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0, decode_responses=True)
