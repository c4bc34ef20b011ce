"""Tries of a step that began and never ended: each took its process with it, as running out of memory does.

Counted only for what was sent again, so that what goes well costs nothing: `begun` of an operation is null until then.
A try is counted before it begins and counted off when it is over, well or not, so that only deaths are left. What died
`MOST` times is left alone by everybody but the reconciler, which ends it.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from cloud.compute.models import Operation
from cloud.core.clock import DATABASE_AWAY

_log = logging.getLogger(__name__)
MOST = 3
_begun: ContextVar[list[str] | None] = ContextVar("begun", default=None)
# Ends that the database did not hear of: it is told when it answers again.
_untold: deque[str] = deque(maxlen=10_000)


@contextmanager
def counted(*operations: Operation) -> Iterator[None]:
    """Count a try of each of these operations, and what begins within; count off what is over when this ends."""
    begun: list[str] = []
    token = _begun.set(begun)
    try:
        _add([one.id for one in operations], begun)
        yield
    except Exception:
        _count_off(begun)
        raise
    else:
        _count_off(begun)
    finally:
        _begun.reset(token)


def begin(operations: Sequence[Operation]) -> list[Operation]:
    """Count the tries of those operations that were sent again; return the ones that may be carried out."""
    begun = _begun.get()
    watched = [one for one in operations if one.begun is not None]
    if begun is None or not watched:
        return list(operations)
    spent = {one.id for one in watched if one.begun >= MOST}
    if spent:
        _log.error("%s began %d times and never ended: left alone", sorted(spent), MOST)
    _add([one.id for one in watched if one.id not in spent], begun)
    return [one for one in operations if one.id not in spent]


def make_up() -> None:
    """Count off what could not be when it was over."""
    while _untold:
        ids = list(_untold)
        _take_off(ids)
        for _ in ids:
            _untold.popleft()


def _add(ids: list[str], begun: list[str]) -> None:
    if ids:
        Operation.objects.filter(id__in=ids).update(begun=Coalesce(F("begun"), Value(0)) + 1)
        begun += ids


def _count_off(ids: list[str]) -> None:
    if not ids:
        return
    try:
        _take_off(ids)
    except DATABASE_AWAY as error:
        _log.warning("the end of a try of %s is written down later: %s", ids, error)
        _untold.extend(ids)


def _take_off(ids: list[str]) -> None:
    Operation.objects.filter(id__in=ids, begun__gt=0).update(begun=F("begun") - 1)
