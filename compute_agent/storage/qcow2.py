"""Disks as files: a qcow2 overlay over a cached image for the root, sparse files for the rest."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from compute_agent.drivers.base import DiskSource
from compute_agent.errors import DiskMissing, DiskTooSmall
from compute_agent.files import full_disk_told
from compute_agent.storage import console_log
from compute_agent.storage.config_drive import build_config_drive
from compute_agent.storage.image_cache import ImageCache, check_header
from compute_agent.storage.inspection import inspect_folder
from compute_agent.storage.moving import MovingDisks, is_uuid
from compute_agent.storage.tools import run_tool
from contracts.compute import ImageSpec, ServerSpec
from contracts.inspection import DiskSeen

_MIB = 1024**2
_GIB = 1024**3
_SLIVER = 20  # a twentieth of a small disk
_BUSES = frozenset({"virtio", "ide", "sata", "scsi"})
_CONSOLE_LOG = "console.log"


class Qcow2Storage(MovingDisks):
    """See StorageDriver.

    Layout below `state_dir`: `images_cache/` for images, `instances/<uuid>/` for all that belongs to an instance;
    see MovingDisks for the rest.

    Args:
        state_dir: an existing or new folder on the file system that holds the disks.
        fetch_timeout_seconds: how long the image's server may stay silent.
    """

    def __init__(self, state_dir: Path, fetch_timeout_seconds: float = 30.0) -> None:
        super().__init__(state_dir, fetch_timeout_seconds)
        self._cache = ImageCache(state_dir / "images_cache", fetch_timeout_seconds)

    @property
    def folder(self) -> Path:
        """A folder on the file system of the disks."""
        return self._instances

    def prepare_image(self, image: ImageSpec) -> None:
        """Fetch and check the image unless it is there."""
        self._cache.ensure(image)

    def cached_images(self) -> list[str]:
        """Return the ids of the images in the cache."""
        return self._cache.ids()

    def create_disks(self, server: ServerSpec) -> tuple[DiskSource, ...]:
        """Make the server's disks and config drive; existing ones stay."""
        folder = self._folder(server.uuid)
        bus = server.image_properties.get("hw_disk_bus", "virtio")
        bus = bus if bus in _BUSES else "virtio"
        with full_disk_told(f"the disks of {server.uuid}"):
            folder.mkdir(mode=0o700, exist_ok=True)
            console_log.trim(folder / _CONSOLE_LOG)
            return tuple(self._disks(server, folder, bus))

    def delete_disks(self, instance_uuid: str) -> None:
        """Remove the instance's folder."""
        with full_disk_told(f"the disks of {instance_uuid}"), suppress(FileNotFoundError):
            shutil.rmtree(self._folder(instance_uuid))
        self._drop_drawers(instance_uuid)

    def instances_with_disks(self) -> list[str]:
        """Return the uuids of the instances that have a folder."""
        return sorted(entry.name for entry in self._instances.iterdir() if entry.is_dir() and is_uuid(entry.name))

    def inspect_disks(self, instance_uuid: str) -> list[DiskSeen]:
        """Look at the instance's folder."""
        with full_disk_told(f"the disks of {instance_uuid}"):
            return inspect_folder(self._folder(instance_uuid))

    def console_log_path(self, instance_uuid: str) -> str:
        """Return where the console's log belongs; its folder is made with the disks."""
        return str(self._folder(instance_uuid) / _CONSOLE_LOG)

    def read_console(self, instance_uuid: str, lines: int) -> str:
        """Return the end of the console's log."""
        with full_disk_told(f"the console of {instance_uuid}"):
            return console_log.read_tail(self._folder(instance_uuid) / _CONSOLE_LOG, lines)

    def capacity_gb(self) -> tuple[int, int]:
        """Return the size and the free space of the disks' file system in GiB."""
        with full_disk_told("the disks' file system"):
            usage = shutil.disk_usage(self._instances)
        return usage.total // _GIB, usage.free // _GIB

    def sweep(self) -> None:
        """Remove what nobody can want any more."""
        super().sweep()
        self._cache.sweep()

    def has_room(self) -> bool:
        """Whether more than a sliver of the file system is free."""
        with full_disk_told("the disks' file system"):
            disk = os.statvfs(self._instances)
        sliver = min(_GIB, disk.f_blocks * disk.f_frsize // _SLIVER)
        return disk.f_bavail * disk.f_frsize >= sliver and (disk.f_favail > 0 or disk.f_files == 0)

    def trim_console_logs(self) -> None:
        """Cut the logs that grew too long."""
        for instance_uuid in self.instances_with_disks():
            with full_disk_told(f"the console of {instance_uuid}"):
                console_log.trim(self._folder(instance_uuid) / _CONSOLE_LOG)

    def land_disks(self, server: ServerSpec, operation_id: str, names: Sequence[str]) -> tuple[DiskSource, ...]:
        """Make the server's disks of those that came; the root grows to the size that the server has now."""
        folder = self._folder(server.uuid)
        with full_disk_told(f"the disks of {server.uuid}"):
            folder.mkdir(mode=0o700, exist_ok=True)
            for name in names:
                self._land(server.uuid, operation_id, name, folder)
        if "disk" in names:
            _grow(folder / "disk", server.disk_gb * _GIB)
        self.end_snapshot(server.uuid, operation_id)
        return self.create_disks(msgspec.structs.replace(server, image=None))

    def _disks(self, server: ServerSpec, folder: Path, bus: str) -> list[DiskSource]:
        disks = []
        if server.image is not None:
            self._ensure_root(server, server.image, folder / "disk")
        # An image that was deleted since takes nobody's disk away.
        if (folder / "disk").exists():
            disks.append(DiskSource(path=str(folder / "disk"), disk_format="qcow2", bus=bus))
        extras = (
            ("disk.eph0", server.ephemeral_gb * _GIB, _format_ephemeral),
            ("disk.swap", server.swap_mb * _MIB, _format_swap),
        )
        for name, size, make_file_system in extras:
            if size:
                _ensure_file(folder / name, size, make_file_system)
                disks.append(DiskSource(path=str(folder / name), disk_format="raw", bus=bus))
        if server.config_drive:
            if not (folder / "disk.config").exists():
                build_config_drive(server, folder / "disk.config")
            disks.append(DiskSource(path=str(folder / "disk.config"), disk_format="raw", device="cdrom", bus="ide"))
        return disks

    def _ensure_root(self, server: ServerSpec, image: ImageSpec, path: Path) -> None:
        if path.exists():
            return
        if server.uuid in self.instances_aside():
            raise DiskMissing(f"the disks of {server.uuid} are aside")  # and a fresh one would hide them
        base = self._cache.find(image)
        with base.open("rb") as stream:
            virtual_size = check_header(image, stream).virtual_size_bytes
        size = server.disk_gb * _GIB or virtual_size
        if size < virtual_size:
            raise DiskTooSmall(f"image {image.id} needs {virtual_size} bytes, the disk has {server.disk_gb} GB")
        draft = path.with_name("disk.part")
        run_tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base.absolute()), "-F", image.disk_format,
                 str(draft), str(size))  # fmt: skip
        draft.rename(path)


def _ensure_file(path: Path, size: int, make_file_system: Callable[[Path], None]) -> None:
    """Make a sparse file with a file system in it, whole or not at all."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.part")
    with draft.open("wb") as stream:
        stream.truncate(size)
    make_file_system(draft)
    draft.rename(path)


def _format_ephemeral(path: Path) -> None:
    run_tool("mkfs.ext4", "-q", "-F", "-L", "ephemeral0", str(path))


def _format_swap(path: Path) -> None:
    run_tool("mkswap", "-q", str(path))


def _grow(disk: Path, size: int) -> None:
    with disk.open("rb") as stream:
        present = int.from_bytes(stream.read(32)[24:32], "big")  # qcow2's field for the virtual size
    if size > present:
        run_tool("qemu-img", "resize", "-q", "-f", "qcow2", str(disk), str(size))
