"""Make room for another host to take an instance over, and the way back."""

from compute_agent.drivers.base import PowerState
from compute_agent.host import Host
from compute_agent.operations.bring_up import bring_up, make_ready, power_state_of
from compute_agent.operations.power import shut_down
from contracts.compute import DropAside, PowerChanged, ServerDestroyed, SetAsideServer, TakeBackServer

_OFF = frozenset({PowerState.SHUTDOWN, PowerState.CRASHED, None})


def set_aside(host: Host, order: SetAsideServer) -> PowerChanged:
    """Have the guest off, its domain and taps gone, and its files aside.

    The files go last: whoever finds them aside knows that nothing uses them any more. What lies aside though there is a
    guest comes from a move that was cut short: it goes, or the new host would get those old disks.

    Raises:
        DiskMissing: the instance has no files on this host.
        OrderRefused: the move may have been given up, and nobody would take the instance over.
    """
    host.silence.check(order)
    uuid = order.instance_uuid
    state = power_state_of(host, uuid)
    if state is not None:
        host.storage.drop_aside(uuid)
    if state not in _OFF:
        shut_down(host, order, order.graceful_seconds)
    host.driver.undefine(uuid)
    host.network.unplug(uuid)
    host.storage.set_aside(uuid)
    return PowerChanged(power_state=PowerState.SHUTDOWN)


def take_back(host: Host, order: TakeBackServer) -> PowerChanged:
    """Have the instance as it was before it was set aside, running or off.

    Raises:
        DiskMissing: it has no files on this host.
    """
    server = order.server
    host.storage.take_back(server.uuid)
    if order.is_started:
        state = power_state_of(host, server.uuid)
        return PowerChanged(power_state=state if state is PowerState.RUNNING else bring_up(host, server, order))
    make_ready(host, server)
    return PowerChanged(power_state=PowerState.SHUTDOWN)


def drop_aside(host: Host, order: DropAside) -> ServerDestroyed:
    """Have nothing of the instance aside."""
    host.storage.drop_aside(order.instance_uuid)
    return ServerDestroyed()
