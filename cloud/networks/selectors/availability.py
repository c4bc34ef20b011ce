"""How many addresses networks have, and how many are given."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count

from cloud.networks.models import FixedIp, Network, Subnet

# Attribute of the API's query -> column of a subnet's network, or of the subnet.
_FILTERS = {"network_id": "network_id", "network_name": "network__name", "tenant_id": "network__project_id",
            "project_id": "network__project_id", "ip_version": "ip_version"}


def ip_availability(filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return networks that have subnets, with {total, used} and the same for each subnet, in three queries."""
    chosen = {f"{_FILTERS[name]}__in": values for name, values in filters.items()}
    subnets: dict[str, list[Subnet]] = defaultdict(list)
    for subnet in Subnet.objects.filter(**chosen).order_by("created_at", "id"):
        subnets[subnet.network_id].append(subnet)
    counts = FixedIp.objects.filter(subnet__network__in=list(subnets)).values("subnet_id").annotate(count=Count("id"))
    used = Counter({row["subnet_id"]: row["count"] for row in counts})
    networks = Network.objects.filter(id__in=list(subnets)).order_by("id")
    return [
        {"id": network.id, "name": network.name, "project_id": network.project_id,
         "subnets": [_subnet(subnet, used[subnet.id]) for subnet in subnets[network.id]]}
        for network in networks
    ]


def filter_names() -> frozenset[str]:
    """Return what the list may be filtered by."""
    return frozenset(_FILTERS)


def _subnet(subnet: Subnet, used: int) -> dict[str, Any]:
    return {"id": subnet.id, "name": subnet.name, "cidr": subnet.cidr, "ip_version": subnet.ip_version,
            "pools": subnet.allocation_pools, "used": used}
