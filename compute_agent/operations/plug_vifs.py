"""Make an instance's interfaces before its domain."""

from compute_agent.host import Host
from compute_agent.operations.bring_up import plug
from contracts.compute import PlugVifs, VifsPlugged


def plug_vifs(host: Host, order: PlugVifs) -> VifsPlugged:
    """Have taps, bridges, DHCP reservations and metadata for all ports of the server."""
    plug(host, order.server)
    return VifsPlugged()
