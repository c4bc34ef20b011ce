"""Change the interfaces of an instance that is there."""

from compute_agent.errors import DriverError
from compute_agent.host import Host
from compute_agent.operations.bring_up import interfaces, plug
from contracts.compute import InterfacesSet, SetInterfaces


def set_interfaces(host: Host, order: SetInterfaces) -> InterfacesSet:
    """Have exactly the ordered ports plugged, and their cards in the domain.

    A tap is there before its card, and goes after it. Where the domain cannot be changed the new taps go again at once:
    the order that undoes this may be overtaken by a later operation, and never be carried out.

    Raises:
        DomainNotFound: there is no such instance.
    """
    server = order.server
    before = {port_id for port_id, uuid in host.network.plugged_ports().items() if uuid == server.uuid}
    plug(host, server)
    try:
        host.driver.set_interfaces(server.uuid, interfaces(host, server))
    except DriverError:
        host.network.unplug(server.uuid, keep=before)
        raise
    host.network.unplug(server.uuid, keep={port.id for port in server.ports})
    return InterfacesSet()
