"""Make an instance's interfaces before its domain."""

from compute_agent.host import Host
from compute_agent.operations.bring_up import plug
from contracts.compute import PlugVifs, VifsPlugged


def plug_vifs(host: Host, order: PlugVifs) -> VifsPlugged:
    """Have taps, bridges, DHCP reservations and metadata for all ports of the server; if asked, for no other."""
    plug(host, order.server)
    if order.is_exact:
        host.network.unplug(order.server.uuid, keep={port.id for port in order.server.ports})
    return VifsPlugged()
