"""Tries of a step that began and never ended: each took its process with it, as running out of memory does.

Counted only for what was sent again, so that what goes well costs nothing: `begun` of an operation is null until then.
A try is counted before it begins and counted off when it is over, well or not, so that only deaths are left. What died
`MOST` times is left alone by everybody but the reconciler, which ends it. Copies of a message in one process count
once, and what died once already is carried out alone, so that no other is blamed again for dying with it.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from cloud.compute.models import Operation
from cloud.core.clock import DATABASE_AWAY

_log = logging.getLogger(__name__)
MOST = 3
# Ends that the database did not hear of: it is told when it answers again.
_untold: deque[str] = deque(maxlen=10_000)
_guard = threading.Lock()
_here: Counter[str] = Counter()
_alone = threading.Lock()


class _Try:
    """What one thread has begun and not ended."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.is_alone = False

    def add(self, ids: list[str]) -> None:
        with _guard:
            fresh = [one for one in ids if not _here[one]]
            _here.update(ids)
        self.ids += ids
        if fresh:
            Operation.objects.filter(id__in=fresh).update(begun=Coalesce(F("begun"), Value(0)) + 1)

    def be_alone(self) -> None:
        self.is_alone = self.is_alone or _alone.acquire()

    def leave(self) -> list[str]:
        """Let the next suspect begin; return what no other thread of this process is at."""
        with _guard:
            _here.subtract(self.ids)
            over = [one for one in dict.fromkeys(self.ids) if not _here[one]]
            for one in over:
                del _here[one]
        if self.is_alone:
            _alone.release()
        return over


_current: ContextVar[_Try | None] = ContextVar("try", default=None)


@contextmanager
def counted(*operations: Operation) -> Iterator[None]:
    """Count a try of each of these operations, and what begins within; count off what is over when this ends."""
    mine = _Try()
    token = _current.set(mine)
    is_dying = True
    try:
        mine.add([one.id for one in operations])
        yield
        is_dying = False
    except Exception:
        is_dying = False
        raise
    finally:
        _current.reset(token)
        over = mine.leave()
        if not is_dying:
            _count_off(over)


def begin(operations: Sequence[Operation]) -> list[Operation]:
    """Count the tries of those operations that were sent again; return the ones that may be carried out."""
    mine = _current.get()
    watched = [one for one in operations if one.begun is not None]
    if mine is None or not watched:
        return list(operations)
    spent = {one.id for one in watched if one.begun >= MOST}
    if spent:
        _log.error("%s began %d times and never ended: left alone", sorted(spent), MOST)
    if any(0 < one.begun < MOST for one in watched):
        mine.be_alone()
    mine.add([one.id for one in watched if one.id not in spent])
    return [one for one in operations if one.id not in spent]


def make_up() -> None:
    """Count off what could not be when it was over."""
    while _untold:
        ids = list(_untold)
        _take_off(ids)
        for _ in ids:
            _untold.popleft()


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
