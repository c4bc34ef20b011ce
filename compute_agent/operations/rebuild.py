"""Give an instance a new disk from an image; it stays what it is to the network."""

from compute_agent.drivers.base import PowerState
from compute_agent.errors import ImageUnavailable
from compute_agent.host import Host
from compute_agent.operations.bring_up import bring_up, make_ready
from contracts.compute import PowerChanged, RebuildServer


def rebuild(host: Host, order: RebuildServer) -> PowerChanged:
    """Have the instance's disks made anew, and the instance running or off as it was.

    The image comes first, although it should be there: one that cannot be had costs the tenant nothing. From there on
    a failure leaves an instance without its old disk, which a repetition of the order ends. The guest is not asked to
    shut down, because what it would write goes with its disks; the console's log and the config drive go too.

    Raises:
        ImageUnavailable: there is none, or it cannot be fetched.
    """
    server = order.server
    if server.image is None:
        raise ImageUnavailable(f"there is no image to make the disk of {server.uuid} from")
    host.storage.prepare_image(server.image)
    host.driver.undefine(server.uuid)
    host.storage.delete_disks(server.uuid)
    host.storage.drop_aside(server.uuid)
    if order.is_started:
        return PowerChanged(power_state=bring_up(host, server, order))
    make_ready(host, server)
    return PowerChanged(power_state=PowerState.SHUTDOWN)
