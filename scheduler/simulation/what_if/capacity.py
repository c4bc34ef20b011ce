"""How many more servers would fit."""

import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Numbers
from scheduler.core.filters import FILTERS
from scheduler.core.table import HostTable
from scheduler.core.trace import Trace, Verdict


def room_for(table: HostTable, request: RequestSpec) -> int | None:
    """Return how many servers alike fit onto the hosts, if nothing else came; None for those that take nothing."""
    hosts = table.columns(request)
    passed = Trace(hosts, request, [Verdict(one, one.judge(hosts, request)) for one in FILTERS]).passed()
    wanted = (
        (hosts.vcpus_free, request.vcpus),
        (hosts.memory_mb_free, request.memory_mb),
        (hosts.disk_gb_free, request.disk_gb),
    )
    fits: list[Numbers] = [free // amount for free, amount in wanted if amount]
    if not fits:
        return None
    return int(np.minimum.reduce(fits)[passed].sum())
