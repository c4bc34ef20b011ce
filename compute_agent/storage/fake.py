"""A complete image cache and disk store without a byte of image: every promise of StorageDriver kept.

With a folder, what was made is kept there as one small JSON file each, so that it outlives a killed agent as real
disks do.
"""

import threading
from pathlib import Path

import msgspec

from compute_agent.drivers.base import DiskSource
from compute_agent.drivers.fault_plan import FaultPlan
from compute_agent.errors import DiskTooSmall, HostDiskFull, ImageUnavailable
from compute_agent.files import replace_file
from compute_agent.storage.console_log import last_lines, read_tail, trim
from compute_agent.storage.fake_moves import Disks, Drawer, FakeMoves
from contracts.compute import ImageSpec, ServerSpec
from contracts.inspection import DiskSeen

_GIB = 1024**3
_BOOT_LINES = 120


class FakeStorage(FakeMoves):
    """See StorageDriver.

    Args:
        capacity_gb: size of the pretended file system.
        folder: where images and disks are remembered; None forgets them with the process.
        faults: what goes wrong, by the verb's name.
    """

    def __init__(
        self, capacity_gb: int = 2_000, *, folder: Path | None = None, faults: FaultPlan | None = None
    ) -> None:
        self.faults = faults or FaultPlan()
        self._lock = threading.Lock()
        self._capacity_gb = capacity_gb
        self._folder = folder
        self._images: dict[str, ImageSpec] = {}
        self._disks: dict[str, Disks] = {}
        self._asides: dict[str, Disks] = {}
        self._drawers: dict[str, Drawer] = {}
        if folder is not None:
            self._load(folder)

    def prepare_image(self, image: ImageSpec) -> None:
        """See StorageDriver."""
        self.faults.strike("prepare_image", image.id, ImageUnavailable)
        with self._lock:
            self._images[image.id] = image
            # The signed address is of no use later.
            self._keep("images", image.id, msgspec.structs.replace(image, url=""))

    def cached_images(self) -> list[str]:
        """See StorageDriver."""
        with self._lock:
            return sorted(self._images)

    def create_disks(self, server: ServerSpec) -> tuple[DiskSource, ...]:
        """See StorageDriver."""
        self.faults.strike("create_disks", server.uuid, HostDiskFull)
        with self._lock:
            made = self._make(server, self._disks.get(server.uuid))
        return tuple(_sources(server, has_root=made.has_root))

    def delete_disks(self, instance_uuid: str) -> None:
        """See StorageDriver."""
        self.faults.strike("delete_disks", instance_uuid)
        with self._lock:
            self._put("disks", self._disks, instance_uuid, None)
            for name in [name for name in self._drawers if name.startswith(instance_uuid)]:
                self._put("drawers", self._drawers, name, None)
            if self._folder is not None:
                self._log(self._folder, instance_uuid).unlink(missing_ok=True)

    def instances_with_disks(self) -> list[str]:
        """See StorageDriver."""
        with self._lock:
            return sorted(self._disks)

    def inspect_disks(self, instance_uuid: str) -> list[DiskSeen]:
        """See StorageDriver."""
        with self._lock:
            disks = self._disks.get(instance_uuid)
        if disks is None:
            return []
        return [DiskSeen(name=name, problem=disks.problems.get(name, "")) for name in sorted(disks.names)]

    def lose_disk(self, instance_uuid: str, name: str) -> None:
        """Let a disk vanish, as one that somebody removed by hand."""
        with self._lock:
            there = self._disks[instance_uuid]
            left = tuple(one for one in there.names if one != name)
            self._put("disks", self._disks, instance_uuid, msgspec.structs.replace(there, names=left))

    def spoil_disk(self, instance_uuid: str, name: str, problem: str) -> None:
        """Let a disk be of no use any more, as one whose image is gone."""
        with self._lock:
            there = self._disks[instance_uuid]
            problems = {**there.problems, name: problem}
            self._put("disks", self._disks, instance_uuid, msgspec.structs.replace(there, problems=problems))

    def console_log_path(self, instance_uuid: str) -> str:
        """See StorageDriver. Without a folder there is no file."""
        return str(self._log(self._folder, instance_uuid)) if self._folder is not None else ""

    def read_console(self, instance_uuid: str, lines: int) -> str:
        """See StorageDriver. A guest that wrote nothing shows what a small Linux would have written."""
        self.faults.strike("read_console", instance_uuid)
        with self._lock:
            disks = self._disks.get(instance_uuid)
        if disks is None:
            return ""
        written = read_tail(self._log(self._folder, instance_uuid), -1) if self._folder is not None else ""
        return last_lines(written + _boot_log(disks.hostname), lines)

    def capacity_gb(self) -> tuple[int, int]:
        """See StorageDriver."""
        with self._lock:
            return self._capacity_gb, self._capacity_gb - self._used_gb()

    def has_room(self) -> bool:
        """See StorageDriver."""
        try:
            self.faults.strike("has_room", "", HostDiskFull)
        except HostDiskFull:
            return False
        total, free = self.capacity_gb()
        return free > 0 or total == 0

    def trim_console_logs(self) -> None:
        """See StorageDriver."""
        for path in (self._folder / "consoles").glob("*.log") if self._folder is not None else ():
            trim(path)

    def _make(self, server: ServerSpec, there: Disks | None) -> Disks:
        """Make what lacks of the server's disks."""
        has_root = there is not None and there.has_root
        if not has_root and server.image is not None:
            self._check_image(server, server.image)
            has_root = True
        size_gb = there.size_gb if there else server.disk_gb + server.ephemeral_gb
        if there is None and self._used_gb() + size_gb > self._capacity_gb:
            raise HostDiskFull(f"no space left for the disks of {server.uuid}")
        names = tuple(Path(source.path).name for source in _sources(server, has_root=has_root))
        if there is not None and set(names) <= set(there.names):
            return there
        made = Disks(server.uuid, server.hostname, size_gb, names, there.problems if there else {})
        self._put("disks", self._disks, server.uuid, made)
        return made

    def _check_image(self, server: ServerSpec, image: ImageSpec) -> None:
        if image.id not in self._images:
            raise ImageUnavailable(f"image {image.id} is not in the cache")
        if server.disk_gb and image.virtual_size_bytes > server.disk_gb * _GIB:
            raise DiskTooSmall(f"image {image.id} needs {image.virtual_size_bytes} bytes, not {server.disk_gb} GB")

    def _used_gb(self) -> int:
        return sum(disks.size_gb for kept in (self._disks, self._asides) for disks in kept.values())

    def _load(self, folder: Path) -> None:
        for kind in ("images", "disks", "asides", "drawers", "consoles"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        for path in (folder / "images").glob("*.json"):
            self._images[path.stem] = msgspec.json.decode(path.read_bytes(), type=ImageSpec)
        for kind, kept in (("disks", self._disks), ("asides", self._asides)):
            for path in (folder / kind).glob("*.json"):
                kept[path.stem] = msgspec.json.decode(path.read_bytes(), type=Disks)
        for path in (folder / "drawers").glob("*.json"):
            self._drawers[path.stem] = msgspec.json.decode(path.read_bytes(), type=Drawer)

    def _keep(self, kind: str, name: str, value: msgspec.Struct) -> None:
        if self._folder is not None:
            replace_file(self._folder / kind / f"{name}.json", msgspec.json.encode(value))

    @staticmethod
    def _log(folder: Path, instance_uuid: str) -> Path:
        return folder / "consoles" / f"{instance_uuid}.log"


def _sources(server: ServerSpec, *, has_root: bool) -> list[DiskSource]:
    """Return the disks that a real store would make of the same server."""
    wanted = {
        "disk": (has_root, "qcow2"),
        "disk.eph0": (server.ephemeral_gb > 0, "raw"),
        "disk.swap": (server.swap_mb > 0, "raw"),
    }
    sources = [
        DiskSource(path=f"/fake/{server.uuid}/{name}", disk_format=disk_format)
        for name, (is_wanted, disk_format) in wanted.items()
        if is_wanted
    ]
    if server.config_drive:
        path = f"/fake/{server.uuid}/disk.config"
        sources.append(DiskSource(path=path, disk_format="raw", device="cdrom", bus="ide"))
    return sources


def _boot_log(hostname: str) -> str:
    """Return what a small Linux prints on its way to the prompt: more lines than anybody asks for."""
    lines = [f"[{index / 40:12.6f}] fake-kernel: device {index} is up" for index in range(_BOOT_LINES)]
    banner = [f"### READY {hostname} addr=none metadata=none", "", f"{hostname} login: "]
    return "\n".join([*lines, *banner])
