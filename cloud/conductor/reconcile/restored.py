"""Notices a database that is older than it was, restored from a backup or made anew: until then nothing is removed.

The turns of the reconciler are counted by the database (the generation of their lease); how far they came is noted in
Redis as well. A database that is behind that mark has forgotten servers that live on hosts. So whatever removes
something asks here first. The database passes the mark by itself once it has worked for as long as it lost, or an
operator accepts it at once with `manage.py accept_database`.
"""

import logging
import threading

import redis
from django.conf import settings

from cloud.conductor.presence import client_of
from cloud.core.models import Lease
from contracts.conductor import RECONCILE_OPERATIONS

_log = logging.getLogger(__name__)
_MARK = "novella:database-turn"
_is_known_older = threading.Event()


def note_turn() -> None:
    """Note how far the database is, unless it was further before."""
    if is_older():
        _log.critical("the database is older than it was: nothing is removed until manage.py accept_database")
        return
    accept()


def accept() -> None:
    """Take the database for the newest that there is."""
    try:
        client_of(settings.REDIS_URL).set(_MARK, _turn())
    except redis.RedisError as error:
        _log.warning("how far the database is cannot be noted: %s", error)


def is_older() -> bool:
    """Tell whether the database was further before; while Redis is away, what was known last."""
    try:
        mark = int(client_of(settings.REDIS_URL).get(_MARK) or 0)
    except redis.RedisError as error:
        _log.warning("nobody says whether the database is the newest: %s", error)
        return _is_known_older.is_set()
    # Read later than the mark, which another conductor may just have moved on.
    is_older_now = _turn() < mark
    (_is_known_older.set if is_older_now else _is_known_older.clear)()
    return is_older_now


def _turn() -> int:
    row = Lease.objects.filter(name=RECONCILE_OPERATIONS).values_list("generation", flat=True).first()
    return row or 0
