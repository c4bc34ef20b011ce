"""Whether somebody listened to the hosts all the time; else nobody is to blame for what was not heard.

With the broker, the database or every conductor away no host can be heard, and what hosts said meanwhile waits in a
queue. So when somebody listens again, the silence of hosts and the time of what is under way count from then.
"""

import logging

from cloud.compute.models import Service
from cloud.compute.services import deadlines
from cloud.compute.services.host_states import COMPUTE
from cloud.core import leases
from cloud.core.clock import database_now

_log = logging.getLogger(__name__)
_LISTENING, _NOBODY_SPECIAL = "listening to hosts", "any conductor"
_LISTENING_SECONDS = 30.0


def has_lapsed() -> bool:
    """Tell whether nobody listened for a while, which was not reckoned with yet."""
    return leases.has_lapsed(_LISTENING)


def go_on() -> bool:
    """Note that somebody listens; tell whether that was so all the time. If not, times count from now."""
    has_listened = leases.is_held(_LISTENING)
    if not has_listened:
        now = database_now()
        # Of a host that was said to be off nothing is expected, and what was not heard must not count as heard.
        up = Service.objects.filter(binary=COMPUTE, is_up=True, forced_down=False)
        hosts, operations = up.update(last_seen_at=now), deadlines.count_anew(now)
        _log.warning(
            "nobody listened: the silence of %d hosts that were up and the time of %d operations count from now",
            hosts, operations,
        )  # fmt: skip
    leases.take(_LISTENING, _NOBODY_SPECIAL, _LISTENING_SECONDS)
    return has_listened
