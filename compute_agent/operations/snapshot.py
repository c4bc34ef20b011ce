"""Copy an instance's root disk into an image."""

from compute_agent.drivers.base import PowerState
from compute_agent.host import Host
from compute_agent.operations.bring_up import power_state_of
from contracts.compute import SnapshotSent, SnapshotServer

_WRITING = frozenset({PowerState.RUNNING, PowerState.PAUSED})


def snapshot(host: Host, order: SnapshotServer) -> SnapshotSent:
    """Send the root disk as it is at one moment as the data of an image; nothing of the copy stays here.

    A guest that runs goes on: the hypervisor copies its disk and what it writes meanwhile, up to one moment.

    Raises:
        DiskMissing, TransferFailed, HostDiskFull, DriverError
    """
    uuid, storage = order.instance_uuid, host.storage
    path = storage.begin_snapshot(uuid, order.operation_id)
    try:
        if power_state_of(host, uuid) in _WRITING:
            host.driver.copy_root_disk(uuid, path)
        else:
            storage.copy_root(uuid, order.operation_id)
        size_bytes = storage.send_snapshot(uuid, order.operation_id, order.upload_url)
    finally:
        storage.end_snapshot(uuid, order.operation_id)
    return SnapshotSent(size_bytes=size_bytes)
