"""Change the interfaces of an instance that is there."""

from compute_agent.host import Host
from compute_agent.operations.bring_up import interfaces, plug
from contracts.compute import InterfacesSet, SetInterfaces


def set_interfaces(host: Host, order: SetInterfaces) -> InterfacesSet:
    """Have exactly the ordered ports plugged, and their cards in the domain.

    A tap is there before its card, and goes after it.

    Raises:
        DomainNotFound: there is no such instance.
    """
    server = order.server
    plug(host, server)
    host.driver.set_interfaces(server.uuid, interfaces(host, server))
    host.network.unplug(server.uuid, keep={port.id for port in server.ports})
    return InterfacesSet()
