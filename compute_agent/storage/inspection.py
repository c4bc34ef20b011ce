"""What lies in an instance's folder, judged by length and header; no disk is opened as one."""

from pathlib import Path

from contracts.inspection import DiskSeen

# Everything that a guest may have as a disk; what lies beside them are logs and drafts.
_DISKS = ("disk", "disk.config", "disk.eph0", "disk.swap")
_QCOW2 = b"QFI\xfb"
_HEADER_BYTES = 72
_LONGEST_NAME = 1023


def inspect_folder(folder: Path) -> list[DiskSeen]:
    """Return the disks of a folder, which need not exist."""
    return [
        DiskSeen(name=name, size_bytes=path.stat().st_size, problem=_problem(path))
        for name in _DISKS
        if (path := folder / name).is_file()
    ]


def _problem(path: Path) -> str:
    if path.stat().st_size == 0:
        return "it is empty"
    if path.name != "disk":
        return ""
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or not header.startswith(_QCOW2):
            return "it is no qcow2 file"
        place, length = int.from_bytes(header[8:16], "big"), int.from_bytes(header[16:20], "big")
        if not place:
            return ""
        stream.seek(place)
        base = Path(stream.read(min(length, _LONGEST_NAME)).decode(errors="replace"))
    return "" if base.is_file() else f"its image {base.name} is not in the cache"
