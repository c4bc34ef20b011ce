"""A private libvirtd for one checkout: beside the machine's own, or where there is none.

It lives in a mount namespace of its own, in which libvirt's fixed directories are folders of the state directory.
Network and processes are the machine's, so that taps and bridges are shared with the agent. It runs under
`tini -s`, a child subreaper: libvirt waits for each QEMU that it probed to vanish, which takes seconds where pid 1
reaps late. Guests outlive it: they are found again by the next one.

`stop_all` needs no libvirtd: it works from pid files, so that it also cleans up after a crash.
"""

import argparse
import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import libvirt

_CLONE_NEWNS = 0x00020000
_STOP_SECONDS = 10.0
_NEEDED = {"tini": "tini", "libvirtd": "libvirt-daemon-system", "qemu-system-x86_64": "qemu-system-x86"}

# What works best for a root-owned QEMU without cgroups or security labels. `user` is what matters: as another user
# the capability cache is never valid, and each start of a guest probes QEMU anew.
_QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""

_LIBVIRTD_CONF = """\
listen_tls = 0
listen_tcp = 0
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0700"
unix_sock_ro_perms = "0700"
host_uuid = "{host_uuid}"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
"""


class LibvirtdError(Exception):
    """The daemon cannot be run; the sentence says what to do."""


@dataclass(frozen=True)
class Folders:
    """Where one private libvirtd keeps its things.

    The runtime directory is on /run under a short name, because a socket's path is limited to 107 bytes.
    """

    state_dir: Path

    @property
    def runtime(self) -> Path:
        """The folder on /run that belongs to this state directory."""
        digest = hashlib.sha256(str(self.state_dir.resolve()).encode()).hexdigest()[:8]
        return Path("/run") / f"novella-{digest}"

    @property
    def socket(self) -> Path:
        """The socket that clients connect to, in any mount namespace."""
        return self.runtime / "libvirt" / "libvirt-sock"

    @property
    def pid_file(self) -> Path:
        """The daemon's pid file."""
        return self.runtime / "libvirt" / "libvirtd.pid"

    @property
    def configuration(self) -> Path:
        """The daemon's configuration; its path in the command line is how we recognise our daemon."""
        return self.state_dir.resolve() / "libvirt" / "etc" / "libvirtd.conf"

    def binds(self) -> dict[Path, Path]:
        """Return libvirt's fixed directories and what takes their place."""
        own = self.state_dir.resolve() / "libvirt"
        return {
            Path("/run/libvirt"): self.runtime / "libvirt",
            Path("/var/lib/libvirt"): own / "lib",
            Path("/etc/libvirt"): own / "etc",
            Path("/var/log/libvirt"): own / "log",
            Path("/var/cache/libvirt"): own / "cache",
        }


def connection_uri(state_dir: Path) -> str:
    """Return the libvirt URI of the private daemon of `state_dir`."""
    return f"qemu+unix:///system?socket={Folders(state_dir).socket}"


def run(state_dir: Path) -> NoReturn:
    """Become the private libvirtd, in the foreground. An older one of the same state directory is ended first.

    Raises:
        LibvirtdError: not root, or a package is missing.
    """
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    _check_machine()
    folders = Folders(state_dir)
    end_daemon(folders)
    _write_configuration(folders)
    _enter_mount_namespace(folders.binds())
    daemon = ["libvirtd", "--config", str(folders.configuration), "--pid-file", "/run/libvirt/libvirtd.pid"]
    os.execvp("tini", ["tini", "-s", "--", *daemon])  # noqa: S606 - becoming the daemon is the point


def wait_until_ready(state_dir: Path, timeout_seconds: float) -> None:
    """Return once the daemon answers.

    Raises:
        LibvirtdError: it did not within `timeout_seconds`.
    """
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        try:
            libvirt.open(connection_uri(state_dir)).close()
        except libvirt.libvirtError:
            time.sleep(0.1)
        else:
            return
    log = state_dir.resolve() / "libvirt" / "log" / "libvirtd.log"
    raise LibvirtdError(f"libvirtd did not answer within {timeout_seconds:g} seconds; see {log}.")


def stop_all(state_dir: Path) -> int:
    """End the daemon and every guest of `state_dir`, and return how many guests ran.

    Disks and definitions stay, so that a guest can start again. Whatever restarts the daemon must have been stopped
    before.
    """
    folders = Folders(state_dir)
    end_daemon(folders)
    guests = list(guest_pids(folders))
    _end(guests, lambda pid: "qemu-system" in _command_line(pid))
    if folders.socket.parent.exists():
        shutil.rmtree(folders.socket.parent)
    with contextlib.suppress(OSError):  # what others keep beside it stays
        folders.runtime.rmdir()
    return len(guests)


def end_daemon(folders: Folders) -> None:
    """End the private libvirtd if it runs; guests go on."""

    def is_ours(pid: int) -> bool:
        command = _command_line(pid)
        return "libvirtd" in command and str(folders.configuration) in command

    _end(_read_pids([folders.pid_file]), is_ours)


def guest_pids(folders: Folders) -> Iterable[int]:
    """Yield the process id of each QEMU that a daemon of ours started and that still runs."""
    for pid_file in sorted((folders.runtime / "libvirt" / "qemu").glob("*.pid")):
        for pid in _read_pids([pid_file]):
            command = _command_line(pid)
            if "qemu-system" in command and f"guest={pid_file.stem}," in command:
                yield pid


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise LibvirtdError("A private libvirtd needs root; without it use HYPERVISOR=fake.")
    missing = [package for program, package in _NEEDED.items() if shutil.which(program) is None]
    if missing:
        raise LibvirtdError(f"Not installed: {', '.join(missing)}. Run: apt-get install {' '.join(missing)}")


def _write_configuration(folders: Folders) -> None:
    for folder in folders.binds().values():
        folder.mkdir(parents=True, exist_ok=True)
    identity = folders.configuration.parent / "host-uuid"
    if not identity.exists():
        identity.write_text(str(uuid.uuid4()))
    folders.configuration.write_text(_LIBVIRTD_CONF.format(host_uuid=identity.read_text()))
    folders.configuration.with_name("qemu.conf").write_text(_QEMU_CONF)


def _enter_mount_namespace(binds: dict[Path, Path]) -> None:
    """Leave the machine's mounts (what it mounts later still arrives here) and put our folders in place."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise LibvirtdError(f"A mount namespace could not be made: {os.strerror(ctypes.get_errno())}.")
    subprocess.run(["mount", "--make-rslave", "/"], check=True)
    for target, source in binds.items():
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(source), str(target)], check=True)


def _read_pids(pid_files: Iterable[Path]) -> list[int]:
    pids = []
    for pid_file in pid_files:
        try:
            pids.append(int(pid_file.read_text()))
        except (OSError, ValueError):
            continue
    return pids


def _command_line(pid: int) -> str:
    """Return the command line of a living process, words separated by spaces; empty for a zombie or nobody."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _end(pids: list[int], is_ours: Callable[[int], bool]) -> None:
    """Ask the processes to end, then make them, and wait until they are gone; a pid that was reused is let be."""
    for sign, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
        pids = [pid for pid in pids if is_ours(pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + seconds
        while any(is_ours(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)


def _arguments() -> argparse.Namespace:
    checkout = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(prog="python -m host.libvirtd", description="The private libvirtd of a checkout.")
    parser.add_argument("verb", choices=["run", "wait", "uri", "stop-all"])
    parser.add_argument("--state-dir", type=Path, default=Path(os.environ.get("NOVELLA_STATE_DIR") or checkout / "var"))
    parser.add_argument("--seconds", type=float, default=30.0, help="how long `wait` waits")
    return parser.parse_args()


def main() -> None:
    """Do what the command line says."""
    arguments = _arguments()
    try:
        match arguments.verb:
            case "run":
                run(arguments.state_dir)
            case "wait":
                wait_until_ready(arguments.state_dir, arguments.seconds)
            case "uri":
                sys.stdout.write(connection_uri(arguments.state_dir) + "\n")
            case "stop-all":
                sys.stdout.write(f"{stop_all(arguments.state_dir)} guests ended\n")
    except LibvirtdError as error:
        sys.exit(f"libvirtd: {error}")


if __name__ == "__main__":
    main()
