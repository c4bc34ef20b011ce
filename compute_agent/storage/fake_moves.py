"""What the fake storage knows of disks that are aside, came from another host, or were copied: names and sizes."""

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from compute_agent.drivers.base import DiskSource
from compute_agent.drivers.fault_plan import FaultPlan
from compute_agent.errors import DiskMissing, TransferFailed
from compute_agent.storage.transfers import Transfers
from contracts.blank_image import blank_qcow2
from contracts.compute import DiskLink, DiskSent, ServerSpec

_NO_BYTES = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


_GIB = 1024**3
_TIMEOUT_SECONDS = 30.0
_PAUSES = (0.1, 0.3, 1.0)


class Disks(msgspec.Struct, frozen=True):
    """What an instance has: its disks by name, and what is wrong with some of them."""

    uuid: str
    hostname: str
    size_gb: int
    names: tuple[str, ...] = ()
    problems: dict[str, str] = {}

    @property
    def has_root(self) -> bool:
        """Whether it has something to boot from."""
        return "disk" in self.names


class Drawer(msgspec.Struct, frozen=True):
    """What an operation received or copied."""

    names: tuple[str, ...] = ()


class FakeMoves:
    """The part of a fake storage that moves and copies; see StorageDriver. No byte travels."""

    faults: FaultPlan
    _lock: threading.Lock
    _folder: Path | None
    _disks: dict[str, Disks]
    _asides: dict[str, Disks]
    _drawers: dict[str, Drawer]

    def set_aside(self, instance_uuid: str) -> None:
        """See StorageDriver."""
        self.faults.strike("set_aside", instance_uuid)
        with self._lock:
            if instance_uuid in self._asides:
                return
            here = self._disks.get(instance_uuid)
            if here is None:
                raise DiskMissing(f"there are no disks of {instance_uuid}")
            self._put("asides", self._asides, instance_uuid, here)
            self._put("disks", self._disks, instance_uuid, None)

    def take_back(self, instance_uuid: str) -> None:
        """See StorageDriver."""
        self.faults.strike("take_back", instance_uuid)
        with self._lock:
            aside = self._asides.get(instance_uuid)
            if aside is not None:
                self._put("disks", self._disks, instance_uuid, aside)
                self._put("asides", self._asides, instance_uuid, None)
            elif instance_uuid not in self._disks:
                raise DiskMissing(f"there are no disks of {instance_uuid}")

    def drop_aside(self, instance_uuid: str) -> None:
        """See StorageDriver."""
        self.faults.strike("drop_aside", instance_uuid)
        with self._lock:
            self._put("asides", self._asides, instance_uuid, None)
            if self._folder is not None and instance_uuid not in self._disks:
                (self._folder / "consoles" / f"{instance_uuid}.log").unlink(missing_ok=True)

    def instances_aside(self) -> list[str]:
        """See StorageDriver."""
        with self._lock:
            return sorted(self._asides)

    def send_disk(self, instance_uuid: str, link: DiskLink) -> DiskSent:
        """See StorageDriver."""
        self.faults.strike("send_disk", instance_uuid, TransferFailed)
        with self._lock:
            if instance_uuid not in self._asides:
                raise DiskMissing(f"{link.name} of {instance_uuid} is not aside")
        return DiskSent(name=link.name, size_bytes=0, sha256=_NO_BYTES)

    def receive_disk(self, instance_uuid: str, operation_id: str, link: DiskLink) -> None:
        """See StorageDriver."""
        self.faults.strike("receive_disk", instance_uuid, TransferFailed)
        if (link.size_bytes, link.sha256) != (0, _NO_BYTES):
            raise TransferFailed(f"{link.name} did not arrive as it was sent")
        self._pull(instance_uuid, operation_id, link.name)

    def land_disks(self, server: ServerSpec, operation_id: str, names: Sequence[str]) -> tuple[DiskSource, ...]:
        """See StorageDriver."""
        self.faults.strike("land_disks", server.uuid)
        name = f"{server.uuid}.{operation_id}"
        with self._lock:
            came = self._drawers.get(name, Drawer()).names
            missing = sorted(set(names) - set(came))
            if missing and server.uuid not in self._disks:
                raise DiskMissing(f"{missing[0]} of {server.uuid} did not come")
            landed = Disks(server.uuid, server.hostname, server.disk_gb + server.ephemeral_gb, tuple(names))
            self._put("disks", self._disks, server.uuid, landed)
            self._put("drawers", self._drawers, name, None)
        return self.create_disks(msgspec.structs.replace(server, image=None))

    def create_disks(self, server: ServerSpec) -> tuple[DiskSource, ...]:
        """See StorageDriver."""
        raise NotImplementedError

    def begin_snapshot(self, instance_uuid: str, operation_id: str) -> str:
        """See StorageDriver."""
        self.faults.strike("begin_snapshot", instance_uuid)
        with self._lock:
            disks = self._disks.get(instance_uuid)
        if disks is None or not disks.has_root:
            raise DiskMissing(f"{instance_uuid} has no root disk here")
        self._pull(instance_uuid, operation_id, "snapshot")
        return f"/fake/{instance_uuid}/snapshot"

    def copy_root(self, instance_uuid: str, operation_id: str) -> None:
        """See StorageDriver."""
        self.faults.strike("copy_root", f"{instance_uuid}.{operation_id}")

    def send_snapshot(self, instance_uuid: str, operation_id: str, url: str) -> int:
        """See StorageDriver. The image is a disk on which nothing was ever written."""
        self.faults.strike("send_snapshot", instance_uuid, TransferFailed)
        with self._lock:
            disks = self._disks.get(instance_uuid)
            if disks is None or f"{instance_uuid}.{operation_id}" not in self._drawers:
                raise DiskMissing(f"there is no copy of {instance_uuid} to send")
        with tempfile.NamedTemporaryFile(prefix="snapshot-") as empty:
            empty.write(blank_qcow2(max(disks.size_gb, 1) * _GIB))
            empty.flush()
            return Transfers(_TIMEOUT_SECONDS, _PAUSES).send(Path(empty.name), url).size_bytes

    def end_snapshot(self, instance_uuid: str, operation_id: str) -> None:
        """See StorageDriver."""
        with self._lock:
            self._put("drawers", self._drawers, f"{instance_uuid}.{operation_id}", None)

    def sweep(self) -> None:
        """See StorageDriver. What lies here takes no space, and what was received is landed or destroyed."""

    def _pull(self, instance_uuid: str, operation_id: str, name: str) -> None:
        with self._lock:
            drawer = f"{instance_uuid}.{operation_id}"
            names = self._drawers.get(drawer, Drawer()).names
            self._put("drawers", self._drawers, drawer, Drawer(names=tuple(sorted({*names, name}))))

    def _put(self, kind: str, kept: dict[str, Any], name: str, value: msgspec.Struct | None) -> None:
        if value is not None:
            kept[name] = value
            self._keep(kind, name, value)
            return
        kept.pop(name, None)
        if self._folder is not None:
            (self._folder / kind / f"{name}.json").unlink(missing_ok=True)

    def _keep(self, kind: str, name: str, value: msgspec.Struct) -> None:
        raise NotImplementedError
