"""Heartbeats that say nothing new: gathered, and written for all hosts together about once a second.

Ten thousand hosts say a thousand times a second that they are there. What is lost of it in a crash is said again ten
seconds later.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice

from django.db import transaction
from django.db.models.functions import Now

from cloud.compute.models import Service
from cloud.compute.services.host_states import COMPUTE
from cloud.core.each import update_each

_AT_ONCE = 500


class Heartbeats:
    """Who was heard of since the last flush, and what each said the time was. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}
        self._since = 0.0

    def note(self, host: str, reported_at: float) -> None:
        """Note that a host was heard of."""
        with self._lock:
            if not self._noted:
                self._since = time.monotonic()
            self._noted[host] = max(reported_at, self._noted.get(host, reported_at))

    def take_back(self, hosts: Iterable[str]) -> dict[str, float]:
        """Return what of these hosts is noted and not written, and note it no more."""
        with self._lock:
            return {host: self._noted.pop(host) for host in hosts if host in self._noted}

    def flush(self) -> set[str]:
        """Write what was noted; return the hosts that the database does not know.

        All count as heard of when the first of them was, so that nobody was heard of later than he spoke.
        """
        with self._lock:
            noted, self._noted = self._noted, {}
            seconds = time.monotonic() - self._since
        return {host for part in _parts(noted) for host in _write(part, timedelta(seconds=seconds))}


def _parts(noted: Mapping[str, float]) -> Iterator[dict[str, float]]:
    left = iter(noted.items())
    while part := dict(islice(left, _AT_ONCE)):
        yield part


def _write(noted: Mapping[str, float], ago: timedelta) -> set[str]:
    rows = Service.objects.filter(binary=COMPUTE, host__in=noted).annotate(now=Now())
    with transaction.atomic():
        # In one order, or two conductors that heard of the same hosts would wait for each other.
        locked = rows.select_for_update().order_by("id")
        known = list(locked.values_list("pk", "host", "last_seen_at", "reported_at", "now"))
        # Neither goes backwards: another conductor may have heard of a host later.
        update_each(Service, ("last_seen_at", "reported_at"), {
            pk: (max(seen_at or now - ago, now - ago), max(said_at, noted[host]))
            for pk, host, seen_at, said_at, now in known
        })  # fmt: skip
    return set(noted) - {host for _, host, *_ in known}


heartbeats = Heartbeats()
