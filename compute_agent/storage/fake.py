"""A complete image cache and disk store in memory: every promise of StorageDriver kept, without a byte of disk."""

import threading

from compute_agent.drivers.base import DiskSource
from compute_agent.errors import DiskTooSmall, ImageUnavailable
from contracts.compute import ImageSpec, ServerSpec

_GIB = 1024**3
_BANNER = "FAKE CONSOLE OUTPUT\nguest booted\nlogin:\n"


class FakeStorage:
    """See StorageDriver."""

    def __init__(self, capacity_gb: int = 2_000) -> None:
        self._lock = threading.Lock()
        self._capacity_gb = capacity_gb
        self._images: dict[str, ImageSpec] = {}
        self._disks: dict[str, int] = {}

    def prepare_image(self, image: ImageSpec) -> None:
        """See StorageDriver."""
        with self._lock:
            self._images[image.id] = image

    def cached_images(self) -> list[str]:
        """See StorageDriver."""
        with self._lock:
            return list(self._images)

    def create_disks(self, server: ServerSpec) -> tuple[DiskSource, ...]:
        """See StorageDriver."""
        with self._lock:
            if server.uuid not in self._disks and server.image is not None:
                self._check(server.image, server.disk_gb)
            self._disks[server.uuid] = server.disk_gb + server.ephemeral_gb
        return (DiskSource(path=f"/fake/{server.uuid}/root", disk_format="qcow2"),)

    def delete_disks(self, instance_uuid: str) -> None:
        """See StorageDriver."""
        with self._lock:
            self._disks.pop(instance_uuid, None)

    def instances_with_disks(self) -> list[str]:
        """See StorageDriver."""
        with self._lock:
            return list(self._disks)

    def console_log_path(self, instance_uuid: str) -> str:
        """See StorageDriver."""
        return ""

    def read_console(self, instance_uuid: str, lines: int) -> str:
        """See StorageDriver."""
        with self._lock:
            if instance_uuid not in self._disks:
                return ""
        kept = _BANNER.splitlines(keepends=True)
        return "".join(kept if lines < 0 else kept[len(kept) - min(lines, len(kept)) :])

    def capacity_gb(self) -> tuple[int, int]:
        """See StorageDriver."""
        with self._lock:
            return self._capacity_gb, self._capacity_gb - sum(self._disks.values())

    def _check(self, image: ImageSpec, disk_gb: int) -> None:
        if image.id not in self._images:
            raise ImageUnavailable(f"image {image.id} is not in the cache")
        if disk_gb and image.virtual_size_bytes > disk_gb * _GIB:
            raise DiskTooSmall(f"image {image.id} needs {image.virtual_size_bytes} bytes, the disk has {disk_gb} GB")
