"""Keeping the hosts' Redis users: a Redis that started without memory gets them back within seconds."""

import logging
import time

import redis

from cloud.compute.services import broker_users

_log = logging.getLogger(__name__)
_ANYWAY_SECONDS = 30.0
_AWAY = "away"


class UserKeeper:
    """Looks once a second, by one cheap command, whether Redis is another; and at everything every half minute."""

    def __init__(self) -> None:
        self._run_id = ""
        self._kept_at = float("-inf")

    def look(self) -> None:
        """Make the users that lack and end those that should not be. A Redis that is away is looked at again."""
        try:
            run_id = broker_users.run_id()
            if run_id == self._run_id and time.monotonic() - self._kept_at < _ANYWAY_SECONDS:
                return
            changed = broker_users.restore(renew=not self._run_id)
        except redis.RedisError as error:
            if self._run_id != _AWAY:
                _log.warning("the hosts' users in Redis cannot be kept now: %s", error)
            self._run_id = _AWAY
            return
        if changed:
            _log.warning("made or ended %d users of hosts in Redis", changed)
        self._run_id, self._kept_at = run_id, time.monotonic()
