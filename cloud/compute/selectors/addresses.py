"""Which servers have an address that a filter describes.

Addresses are the network domain's and servers the compute domain's, which may lie in two databases: the uuids are
carried across, not joined.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.db.models import Q

from cloud.compute.selectors.expressions import matching
from cloud.networks.models import FixedIp

MAX_SERVERS = 10_000


def servers_at(patterns: Sequence[str], version: int) -> list[str]:
    """Return the uuids of servers with a fixed address of an IP version that matches one of the patterns.

    Raises:
        Invalid: a malformed pattern, or one that matches too many servers to be of use.
    """
    wanted = reduce(or_, (matching("ip_address", pattern) for pattern in patterns))
    rows = FixedIp.objects.filter(wanted, port__device_owner__startswith="compute:")
    rows = rows.filter(Q(ip_address__contains=":") if version == 6 else ~Q(ip_address__contains=":"))
    return list(rows.values_list("port__device_id", flat=True).distinct()[:MAX_SERVERS])
