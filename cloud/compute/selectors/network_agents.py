"""The hosts as the network service shows them: each wires its guests itself."""

from cloud.compute.models import Service
from cloud.compute.selectors.services import COMPUTE, compute_services
from cloud.networks.selectors.agents import NetworkAgent


def network_agents() -> list[NetworkAgent]:
    """Return an agent for each host that has reported. Three queries for any number."""
    rows = Service.objects.filter(binary=COMPUTE).values_list("host", "started_at", "created_at")
    times = {host: (started_at, created_at) for host, started_at, created_at in rows}
    return [
        NetworkAgent(one.uuid, one.host, one.zone, one.is_up, not one.disabled, one.last_seen_at, *times[one.host])
        for one in compute_services().values()
        if one.host in times
    ]
