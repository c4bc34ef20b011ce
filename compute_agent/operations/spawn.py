"""Make an instance and start it."""

from compute_agent.drivers.base import PowerState
from compute_agent.host import Host
from compute_agent.operations.bring_up import make_ready, power_state_of, start_in_time
from contracts.compute import ServerSpawned, SpawnServer


def spawn(host: Host, order: SpawnServer) -> ServerSpawned:
    """Have the instance running; a running one is left alone.

    A failure leaves what was made so far: the conductor orders DestroyServer, which removes all of it.

    Raises:
        OrderRefused: another host may have been told to make it.
    """
    server = order.server
    if power_state_of(host, server.uuid) is PowerState.RUNNING:
        return ServerSpawned(power_state=PowerState.RUNNING)
    host.silence.check(order)
    if server.image is not None:
        host.storage.prepare_image(server.image)
    make_ready(host, server)
    host.silence.check(order)  # that may have taken long
    start_in_time(host, order)
    return ServerSpawned(power_state=host.driver.power_state(server.uuid))
