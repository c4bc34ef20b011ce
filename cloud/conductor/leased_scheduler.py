"""Beat's schedule, in memory: sent by the beat that holds the lease."""

import contextlib
import logging
import time
from typing import Any

from celery.beat import Scheduler
from django.db import close_old_connections

from cloud.core import leases
from cloud.core.clock import DATABASE_AWAY

_log = logging.getLogger(__name__)
LEASE = "beat"
_LEASE_SECONDS = 10.0
_RENEW_SECONDS = 3.0


class LeasedScheduler(Scheduler):
    """Sends what is due while this beat holds the lease, and stands by while another does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._holder = leases.new_holder()
        self._held: leases.Held | None = None
        self._renew_at = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, if this is the beat that sends; return how long to sleep."""
        if time.monotonic() >= self._renew_at:
            self._renew()
        if self._held is None:
            return _RENEW_SECONDS
        return float(min(super().tick(*args, **kwargs), _RENEW_SECONDS))

    def _renew(self) -> None:
        close_old_connections()
        before = self._held
        try:
            self._held = leases.take(LEASE, self._holder, _LEASE_SECONDS)
        except DATABASE_AWAY as error:
            # What would be woken could do nothing either.
            self._held = None
            _log.warning("the database is away, nothing is sent: %s", type(error).__name__)
        if self._held and not before:
            _log.info("this beat sends from now on, generation %s", self._held.generation)
        elif before and not self._held:
            _log.info("this beat stands by")
        self._renew_at = time.monotonic() + _RENEW_SECONDS

    def close(self) -> None:
        """Leave the lease to whoever stands by."""
        if self._held is not None:
            with contextlib.suppress(*DATABASE_AWAY):  # it runs out by itself
                leases.give_back(self._held)
        super().close()
