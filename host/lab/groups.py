"""A control group for each host: who is in it is of that host, whatever became of parents and namespaces."""

import contextlib
import time
from pathlib import Path

from host.settings import HostSettings

_GONE_SECONDS = 20.0


class GroupError(Exception):
    """The kernel's control groups cannot be used; the sentence says why."""


def folder(settings: HostSettings, name: str) -> Path:
    """Return the group's folder."""
    return _root() / f"{settings.runtime_dir.name}-{name}"


def names(settings: HostSettings) -> set[str]:
    """Return the hosts of this lab that have a group."""
    prefix, root = f"{settings.runtime_dir.name}-", _find_root()
    return {path.name.removeprefix(prefix) for path in root.glob(f"{prefix}*")} if root else set()


def join(group: Path, pid: int) -> None:
    """Have a process, and whatever it will start, in the group."""
    group.mkdir(exist_ok=True)
    (group / "cgroup.procs").write_text(str(pid))


def end(group: Path) -> None:
    """Kill every process of the group at once, and remove it when they are gone.

    Raises:
        GroupError: some did not go.
    """
    if not group.exists():
        return
    (group / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + _GONE_SECONDS
    while group.exists():
        for inner in sorted(group.rglob("*/"), reverse=True):
            _remove(inner)
        _remove(group)
        if time.monotonic() > deadline:
            raise GroupError(f"processes of {group.name} did not end: {(group / 'cgroup.procs').read_text().split()}")
        time.sleep(0.02)


def _remove(group: Path) -> None:
    with contextlib.suppress(OSError):  # its processes are still on their way out
        group.rmdir()


def _root() -> Path:
    root = _find_root()
    if root is None:
        raise GroupError("No cgroup2 file system is mounted on this machine; a lab needs one.")
    return root


def _find_root() -> Path | None:
    rows = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return next((Path(row[1]) for row in rows if row[2] == "cgroup2"), None)
