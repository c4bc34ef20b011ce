"""Slack: while there is room for large servers, nothing is won by packing."""

import numpy as np

from scheduler.core.columns import Columns

_ROOMY_SHARE = 0.5


def is_roomy(hosts: Columns) -> bool:
    """Tell whether half of the hosts that may take servers are at least half free (ADR 61)."""
    may_take = hosts.is_enabled & hosts.is_up & hosts.is_sound
    is_half_free = may_take & (2 * hosts.vcpus_free >= hosts.vcpus) & (2 * hosts.memory_mb_free >= hosts.memory_mb)
    return bool(np.count_nonzero(is_half_free) >= _ROOMY_SHARE * np.count_nonzero(may_take))
