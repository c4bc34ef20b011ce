"""Files of instances that are aside, on their way, or copied: what moves and snapshots need of the disks.

Layout below the state folder: `aside/<uuid>/` is an instance's folder, renamed; `drawers/<uuid>.<operation>/` holds
what one operation received or copied, and belongs to nothing until it is landed or sent.
"""

import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compute_agent.errors import AgentError, DiskMissing, TransferFailed
from compute_agent.files import full_disk_told
from compute_agent.storage.tools import COPYING, run_tool
from compute_agent.storage.transfers import Transfers
from contracts.compute import DiskLink, DiskSent
from contracts.image_format import UnsafeImage, inspect_header

# What travels, with its format where it lies. Swap and config drive are made anew.
TRAVELLING = {"disk": "qcow2", "disk.eph0": "raw"}
_SNAPSHOT = "snapshot"
# Longer than any operation lasts.
_DRAWER_SECONDS = 6 * 3600.0


class MovingDisks:
    """The part of a storage that moves and copies; see StorageDriver.

    Args:
        state_dir: the folder on the file system that holds the disks.
        timeout_seconds: how long the control plane's store may stay silent.
    """

    def __init__(self, state_dir: Path, timeout_seconds: float) -> None:
        self._instances, self._aside = state_dir / "instances", state_dir / "aside"
        self._drawers = state_dir / "drawers"
        for folder in (self._instances, self._aside, self._drawers):
            folder.mkdir(parents=True, exist_ok=True)
        self._transfers = Transfers(timeout_seconds)

    def set_aside(self, instance_uuid: str) -> None:
        """Rename the instance's folder, which is whole at every moment."""
        here, aside = self._folder(instance_uuid), self._aside / instance_uuid
        with full_disk_told(f"the disks of {instance_uuid}"):
            if here.exists() and not aside.exists():
                here.rename(aside)
            elif not aside.exists():
                raise DiskMissing(f"there are no disks of {instance_uuid}")

    def take_back(self, instance_uuid: str) -> None:
        """Rename it back; what lies in its place came after it and goes."""
        here, aside = self._folder(instance_uuid), self._aside / instance_uuid
        with full_disk_told(f"the disks of {instance_uuid}"):
            if aside.exists():
                shutil.rmtree(here, ignore_errors=True)
                aside.rename(here)
            elif not here.exists():
                raise DiskMissing(f"there are no disks of {instance_uuid}")

    def drop_aside(self, instance_uuid: str) -> None:
        """Remove the folder that is aside."""
        _remove(self._aside / self._folder(instance_uuid).name)

    def instances_aside(self) -> list[str]:
        """Return the uuids of the folders aside."""
        return sorted(entry.name for entry in self._aside.iterdir() if entry.is_dir() and is_uuid(entry.name))

    def send_disk(self, instance_uuid: str, link: DiskLink) -> DiskSent:
        """Flatten the disk beside it and send that."""
        disk = self._aside / self._folder(instance_uuid).name / _travelling(link.name)
        if not disk.exists():
            raise DiskMissing(f"{link.name} of {instance_uuid} is not aside")
        flat = disk.with_name(f"{link.name}.{uuid.uuid4().hex}.flat")
        with full_disk_told(f"{link.name} of {instance_uuid}"), _gone_afterwards(flat):
            _flatten(disk, TRAVELLING[link.name], flat)
            sent = self._transfers.send(flat, link.url)
        return DiskSent(name=link.name, size_bytes=sent.size_bytes, sha256=sent.sha256)

    def receive_disk(self, instance_uuid: str, operation_id: str, link: DiskLink) -> None:
        """Fetch the disk into the operation's drawer under its name, once it is whole and harmless."""
        path = self._drawer(instance_uuid, operation_id) / _travelling(link.name)
        draft = path.with_name(f"{link.name}.{uuid.uuid4().hex}.part")
        with full_disk_told(f"{link.name} of {instance_uuid}"):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if path.exists():
                return
            with _gone_afterwards(draft):
                self._transfers.fetch(link, draft)
                _check(draft)
                draft.rename(path)

    def _land(self, instance_uuid: str, operation_id: str, name: str, into: Path) -> None:
        """Put a received disk in its place, unless one is there."""
        path, drawn = into / _travelling(name), self._drawer(instance_uuid, operation_id) / name
        if path.exists():
            return
        if not drawn.exists():
            raise DiskMissing(f"{name} of {instance_uuid} did not come")
        if TRAVELLING[name] == "qcow2":
            drawn.rename(path)
            return
        draft = path.with_name(f"{name}.part")
        run_tool("qemu-img", "convert", "-q", "-f", "qcow2", "-O", TRAVELLING[name], str(drawn), str(draft),
                 limits=COPYING)  # fmt: skip
        draft.rename(path)

    def begin_snapshot(self, instance_uuid: str, operation_id: str) -> str:
        """Make an empty qcow2 of the root disk's size in the operation's drawer."""
        disk, copy = self._folder(instance_uuid) / "disk", self._copy(instance_uuid, operation_id)
        with full_disk_told(f"a copy of {instance_uuid}"):
            if not disk.exists():
                raise DiskMissing(f"{instance_uuid} has no root disk here")
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            copy.unlink(missing_ok=True)
            with disk.open("rb") as stream:
                size = int.from_bytes(stream.read(32)[24:32], "big")  # qcow2's field for the virtual size
        run_tool("qemu-img", "create", "-q", "-f", "qcow2", str(copy), str(size))
        return str(copy)

    def copy_root(self, instance_uuid: str, operation_id: str) -> None:
        """Flatten the root disk into the copy."""
        _flatten(self._folder(instance_uuid) / "disk", "qcow2", self._copy(instance_uuid, operation_id))

    def send_snapshot(self, instance_uuid: str, operation_id: str, url: str) -> int:
        """Send the copy."""
        with full_disk_told(f"a copy of {instance_uuid}"):
            return self._transfers.send(self._copy(instance_uuid, operation_id), url).size_bytes

    def end_snapshot(self, instance_uuid: str, operation_id: str) -> None:
        """Remove the operation's drawer."""
        _remove(self._drawer(instance_uuid, operation_id))

    def sweep(self) -> None:
        """Remove drawers that no operation can want any more, and what agents that were killed left half-made."""
        oldest = time.time() - _DRAWER_SECONDS
        with full_disk_told("the drawers"):
            for flat in (*self._aside.glob("*/*.flat"), *self._instances.glob("*/*.flat")):
                if flat.stat().st_mtime < oldest:
                    flat.unlink(missing_ok=True)
            for drawer in self._drawers.iterdir():
                if drawer.stat().st_mtime < oldest:
                    _remove(drawer)

    def _drop_drawers(self, instance_uuid: str) -> None:
        for drawer in self._drawers.glob(f"{self._folder(instance_uuid).name}.*"):
            _remove(drawer)

    def _copy(self, instance_uuid: str, operation_id: str) -> Path:
        return self._drawer(instance_uuid, operation_id) / _SNAPSHOT

    def _drawer(self, instance_uuid: str, operation_id: str) -> Path:
        if not is_uuid(operation_id):
            raise AgentError(f"{operation_id!r} is not an operation's uuid")
        return self._drawers / f"{self._folder(instance_uuid).name}.{operation_id}"

    def _folder(self, instance_uuid: str) -> Path:
        if not is_uuid(instance_uuid):
            raise AgentError(f"{instance_uuid!r} is not an instance's uuid")
        return self._instances / instance_uuid


def is_uuid(text: str) -> bool:
    """Tell whether a text is a uuid in its canonical form, and may be the name of a folder."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _travelling(name: str) -> str:
    if name not in TRAVELLING:
        raise AgentError(f"{name!r} is not a disk that travels")
    return name


def _flatten(disk: Path, disk_format: str, flat: Path) -> None:
    run_tool("qemu-img", "convert", "-q", "-f", disk_format, "-O", "qcow2", str(disk), str(flat), limits=COPYING)


def _check(draft: Path) -> None:
    """Refuse what another host should not have sent: it may have been taken over."""
    with draft.open("rb") as stream:
        try:
            inspect_header(stream, "qcow2")
        except UnsafeImage as exc:
            raise TransferFailed(f"{draft.name} was refused: {exc}") from exc


@contextmanager
def _gone_afterwards(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    with full_disk_told(str(folder.name)):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
