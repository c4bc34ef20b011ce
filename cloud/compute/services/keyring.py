"""The hosts' keys as a process knows them: read when one is needed, and no more often than every two seconds."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Count, Max

from cloud.compute.models import HostCredential
from cloud.compute.services.credential_secrets import key

_log = logging.getLogger(__name__)
_FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Entry:
    """A credential; without a key where it was dismissed or switched off."""

    name: str
    key: bytes | None


class Keyring:
    """Finds the credential of a host. A database that is away leaves what was known before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._stamp: Any = None
        self._exact: dict[str, Entry] = {}
        self._beginnings: dict[str, Entry] = {}

    def find(self, host: str) -> Entry | None:
        """Return the credential that a host has or once had; None for one that was never enrolled."""
        if time.monotonic() - self._checked_at > _FRESH_SECONDS:
            self._refresh()
        found = self._exact.get(host)
        if found is not None:
            return found
        return next((one for beginning, one in self._beginnings.items() if host.startswith(beginning)), None)

    def forget(self) -> None:
        """Read again before the next answer."""
        self._checked_at = float("-inf")

    def _refresh(self) -> None:
        with self._lock:
            if time.monotonic() - self._checked_at <= _FRESH_SECONDS:
                return
            try:
                if not connection.in_atomic_block:  # else the caller's transaction would be lost with it
                    close_old_connections()
                stamp = HostCredential.objects.aggregate(Count("id"), Max("updated_at"))
                if stamp != self._stamp:
                    self._read()
                    self._stamp = stamp
            except DatabaseError:
                _log.warning("the database is away; hosts' keys are those of before")
                if not connection.in_atomic_block:
                    connection.close()
            self._checked_at = time.monotonic()

    def _read(self) -> None:
        exact: dict[str, Entry] = {}
        beginnings: dict[str, Entry] = {}
        # Of two for one host the living one counts: it is written last.
        for row in sorted(HostCredential.objects.all(), key=lambda one: one.is_living):
            entry = Entry(row.name, key(row.name, row.salt) if row.is_living else None)
            for host in row.hosts:
                (beginnings if host.endswith("*") else exact)[host.removesuffix("*")] = entry
        self._exact, self._beginnings = exact, beginnings


keyring = Keyring()


def key_of(host: str) -> bytes | None:
    """Return what the orders to a host are signed with; None for a host without a credential."""
    found = keyring.find(host)
    return found.key if found else None
