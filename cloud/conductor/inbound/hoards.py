"""Who fills Redis by what only he can write to is cut off, and what he piled up is removed, while there is room left.

A host has a handful of keys: its queues, and what it has in work. A healthy one holds little there, but Redis does not
bound it. Whose keys hold what is asked only when Redis has grown since it was asked last: an idle cloud pays nothing.
"""

import logging

import redis
from django.db import DatabaseError

from cloud.compute.models import HostCredential
from cloud.compute.services import broker_users, host_credentials

_log = logging.getLogger(__name__)
MOST_BYTES = 128 * 2**20
# Growth of Redis that is worth asking whose it is.
_GROWTH_BYTES = 64 * 2**20


class HoardWatch:
    """Looks once a second at how much Redis uses."""

    def __init__(self) -> None:
        self._used = 0

    def look(self) -> None:
        """Switch off each credential whose keys hold more than any healthy host's."""
        try:
            used = broker_users.used_memory()
            self._used = min(self._used, used)
            if used - self._used < _GROWTH_BYTES:
                return
            self._used = used
            for row in HostCredential.objects.filter(dismissed_at=None, suspended_at=None):
                self._check(row)
        except (redis.RedisError, DatabaseError) as error:
            _log.warning("nobody looks whether hosts fill Redis now: %s", error)

    def _check(self, row: HostCredential) -> None:
        held = broker_users.held_by(row)
        if held <= MOST_BYTES:
            return
        reason = f"its keys in Redis held {held // 2**20} MiB"
        if host_credentials.suspend(row.name, reason):
            _log.error("credential %s is switched off: %s", row.name, reason)
        broker_users.drop_keys(row)
