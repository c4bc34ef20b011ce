"""Orders that were committed and not sent: sent now, or given up when no host would carry them out any more.

What such an order should have removed is found again in its host's word on what lies there.
"""

import logging

from cloud.core import outbox, rpc
from cloud.core.clock import database_now

_log = logging.getLogger(__name__)


def reconcile() -> int:
    """Send what is left over; return how many orders the broker took."""
    now = database_now()
    late = outbox.drop_late(now)
    if late:
        _log.warning("%s orders could not be sent before their time was over", late)
    sent = 0
    for row in outbox.due(now):
        if not outbox.put_off(row, now):
            continue
        if not rpc.deliver(row):
            break  # the broker is away for the others too
        sent += 1
    return sent
