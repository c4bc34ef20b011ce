"""What a storage driver promises. Paths are its own business; callers get DiskSources."""

from collections.abc import Sequence
from typing import Protocol

from compute_agent.drivers.base import DiskSource
from contracts.compute import DiskLink, DiskSent, ImageSpec, ServerSpec
from contracts.inspection import DiskSeen


class StorageDriver(Protocol):
    """The image cache and the disks of one host."""

    def prepare_image(self, image: ImageSpec) -> None:
        """Fetch the image into the cache unless it is there, checking length, checksum and headers.

        Raises:
            ImageUnavailable, ImageCorrupt, HostDiskFull
        """

    def cached_images(self) -> list[str]:
        """Return the ids of the images in the cache."""

    def create_disks(self, server: ServerSpec) -> tuple[DiskSource, ...]:
        """Make the root disk, ephemeral, swap and config drive as the server wants them; existing ones stay.

        A root disk stays part of the server when its image is gone and `server.image` is None.

        Raises:
            ImageUnavailable: the image is not in the cache.
            DiskTooSmall: `disk_gb` is not 0 and smaller than the image's virtual size.
            HostDiskFull
        """

    def delete_disks(self, instance_uuid: str) -> None:
        """Remove all files of the instance, its console log too. None left is a success. What is aside stays."""

    def set_aside(self, instance_uuid: str) -> None:
        """Move all files of the instance out of the way, whole. None left is a success where they are aside already.

        Raises:
            DiskMissing: there are none, here or aside.
        """

    def take_back(self, instance_uuid: str) -> None:
        """Move the files that are aside to where they were, in place of any other. Done already is a success.

        Raises:
            DiskMissing: there are none, here or aside.
        """

    def drop_aside(self, instance_uuid: str) -> None:
        """Remove the files that are aside. None is a success."""

    def instances_aside(self) -> list[str]:
        """Return the uuids of the instances that have files aside."""

    def send_disk(self, instance_uuid: str, link: DiskLink) -> DiskSent:
        """Send a disk that is aside as a qcow2 file that needs no other.

        Raises:
            DiskMissing: there is none of this name.
            TransferFailed, HostDiskFull
        """

    def receive_disk(self, instance_uuid: str, operation_id: str, link: DiskLink) -> None:
        """Fetch a disk into the operation's own drawer, checked. One that is there already is left alone.

        Raises:
            TransferFailed: it cannot be fetched, or is not what was sent.
            HostDiskFull
        """

    def land_disks(self, server: ServerSpec, operation_id: str, names: Sequence[str]) -> tuple[DiskSource, ...]:
        """Make the server's disks of those that the operation received, larger where the server wants it.

        Raises:
            DiskMissing: one of `names` was not received.
            HostDiskFull
        """

    def begin_snapshot(self, instance_uuid: str, operation_id: str) -> str:
        """Return the path where a copy of the root disk shall be written, with nothing there.

        Raises:
            DiskMissing: the instance has no root disk.
        """

    def copy_root(self, instance_uuid: str, operation_id: str) -> None:
        """Write that copy, of a disk that no guest writes to."""

    def send_snapshot(self, instance_uuid: str, operation_id: str, url: str) -> int:
        """Send the copy as a qcow2 file that needs no other; return the length of the file.

        Raises:
            TransferFailed, HostDiskFull
        """

    def end_snapshot(self, instance_uuid: str, operation_id: str) -> None:
        """Remove the copy. None is a success."""

    def sweep(self) -> None:
        """Remove what operations that ended long ago received or copied and left; called once a minute."""

    def instances_with_disks(self) -> list[str]:
        """Return the uuids of the instances that have files here."""

    def inspect_disks(self, instance_uuid: str) -> list[DiskSeen]:
        """Return the disks that lie in the instance's place, by name; no other file of it counts."""

    def console_log_path(self, instance_uuid: str) -> str:
        """Return where the hypervisor shall write the console's log."""

    def read_console(self, instance_uuid: str, lines: int) -> str:
        """Return the end of the console's log; -1 for all that is kept. An absent log is an empty one."""

    def capacity_gb(self) -> tuple[int, int]:
        """Return (total, free) of the file system in GB."""

    def has_room(self) -> bool:
        """Whether a small server would still fit; where not even that does, no new one shall come."""

    def trim_console_logs(self) -> None:
        """Cut the logs of guests that write without end; called once a minute, running guests write on."""
