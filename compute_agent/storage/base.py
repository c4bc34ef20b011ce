"""What a storage driver promises. Paths are its own business; callers get DiskSources."""

from typing import Protocol

from compute_agent.drivers.base import DiskSource
from contracts.compute import ImageSpec, ServerSpec


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
        """Remove all files of the instance, its console log too. None left is a success."""

    def instances_with_disks(self) -> list[str]:
        """Return the uuids of the instances that have files here."""

    def console_log_path(self, instance_uuid: str) -> str:
        """Return where the hypervisor shall write the console's log."""

    def read_console(self, instance_uuid: str, lines: int) -> str:
        """Return the end of the console's log; -1 for all that is kept. An absent log is an empty one."""

    def capacity_gb(self) -> tuple[int, int]:
        """Return (total, free) of the file system in GB."""

    def trim_console_logs(self) -> None:
        """Cut the logs of guests that write without end; called once a minute, running guests write on."""
