"""Make an instance and start it."""

from compute_agent.drivers.base import PowerState
from compute_agent.host import Host
from compute_agent.operations.bring_up import bring_up, power_state_of
from contracts.compute import ServerSpawned, SpawnServer


def spawn(host: Host, order: SpawnServer) -> ServerSpawned:
    """Have the instance running; a running one is left alone.

    A failure leaves what was made so far: the conductor orders DestroyServer, which removes all of it.
    """
    server = order.server
    state = power_state_of(host, server.uuid)
    if state is not PowerState.RUNNING:
        if server.image is not None:
            host.storage.prepare_image(server.image)
        state = bring_up(host, server)
    return ServerSpawned(power_state=state)
