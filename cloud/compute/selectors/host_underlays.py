"""What hosts said that they can carry networks by, as the network service asks for it."""

from collections.abc import Collection

from cloud.compute.models import ComputeNode
from cloud.core.among import Many
from cloud.core.kept import Kept
from cloud.networks.selectors.underlay import HostUnderlay

_tunnels: Kept[tuple[str, str]] = Kept(
    lambda hosts: ComputeNode.objects.filter(host__among=hosts).exclude(tunnel_ip="").values_list("host", "tunnel_ip")
)


def host_underlays(hosts: Collection[str] | None) -> list[HostUnderlay]:
    """Return it for these hosts, or for all: one query."""
    rows = ComputeNode.objects.all() if hosts is None else ComputeNode.objects.filter(host__in=hosts)
    said = rows.order_by("host").values_list("host", "tunnel_ip", "physical_networks", "network_types")
    return [HostUnderlay(host, address, tuple(wires), tuple(types)) for host, address, wires, types in said]


def host_tunnels(hosts: Collection[str]) -> dict[str, str]:
    """Return the tunnel addresses of those of these hosts that have one, by host: one query."""
    return dict(_tunnels(hosts=Many(hosts)))
