"""Remove an instance from the host without a trace."""

from compute_agent.host import Host
from contracts.compute import DestroyServer, ServerDestroyed


def destroy(host: Host, order: DestroyServer) -> ServerDestroyed:
    """Have neither domain, tap, reservation, metadata nor disk of the instance here.

    The guest goes first, because it uses the others. Each part is gone or made gone, so a repetition after a
    failure half-way ends what the first began.
    """
    host.driver.undefine(order.instance_uuid)
    host.network.unplug(order.instance_uuid)
    host.storage.delete_disks(order.instance_uuid)
    return ServerDestroyed()
