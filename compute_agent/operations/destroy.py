"""Remove an instance from the host without a trace."""

from compute_agent.host import Host
from contracts.compute import DestroyServer, ServerDestroyed, VacateServer


def destroy(host: Host, order: DestroyServer) -> ServerDestroyed:
    """Have neither domain, tap, reservation, metadata nor disk of the instance here, in its place or aside.

    The guest goes first, because it uses the others. Each part is gone or made gone, so a repetition after a
    failure half-way ends what the first began.
    """
    host.driver.undefine(order.instance_uuid)
    host.storage.drop_aside(order.instance_uuid)
    _vacate(host, order.instance_uuid)
    return ServerDestroyed()


def vacate(host: Host, order: VacateServer) -> ServerDestroyed:
    """Have nothing of the instance here but what is aside."""
    _vacate(host, order.instance_uuid)
    return ServerDestroyed()


def _vacate(host: Host, uuid: str) -> None:
    host.driver.undefine(uuid)
    host.storage.delete_disks(uuid)  # before the network, whose files want room on a disk that may be full
    host.network.unplug(uuid)
