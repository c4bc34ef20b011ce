"""Disks on their way from one host to another, and the instance that is made of them."""

from compute_agent.drivers.base import PowerState
from compute_agent.host import Host
from compute_agent.operations.bring_up import domain_spec, plug, power_state_of, start_in_time
from contracts.compute import DisksReceived, DisksSent, LandServer, PowerChanged, ReceiveDisks, SendDisks


def send_disks(host: Host, order: SendDisks) -> DisksSent:
    """Send disks that are aside.

    Raises:
        DiskMissing, TransferFailed, HostDiskFull
    """
    return DisksSent(disks=[host.storage.send_disk(order.instance_uuid, link) for link in order.disks])


def receive_disks(host: Host, order: ReceiveDisks) -> DisksReceived:
    """Fetch disks for a LandServer of the same operation.

    Raises:
        TransferFailed, HostDiskFull
    """
    for link in order.disks:
        host.storage.receive_disk(order.instance_uuid, order.operation_id, link)
    return DisksReceived()


def land(host: Host, order: LandServer) -> PowerChanged:
    """Have the instance here, made of the disks that came, running or off; a running one is left alone.

    Raises:
        DiskMissing: not all disks came.
        OrderRefused: its old host may have taken it back.
    """
    server = order.server
    if power_state_of(host, server.uuid) is PowerState.RUNNING:
        return PowerChanged(power_state=PowerState.RUNNING)
    host.silence.check(order)
    plug(host, server)
    disks = host.storage.land_disks(server, order.operation_id, order.disk_names)
    host.driver.define(domain_spec(host, server, disks))
    if order.is_started:
        host.silence.check(order)  # growing disks may have taken long
        start_in_time(host, order)
    return PowerChanged(power_state=host.driver.power_state(server.uuid))
