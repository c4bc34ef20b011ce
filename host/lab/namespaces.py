"""How a process becomes the first one of a host: namespaces, mounts, a name, and a loopback of its own."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import NoReturn

from host import supervision
from host.checks import SYSTEM_PATHS
from host.lab import wires
from host.lab.settings import cable_ports, cut_marker, machine_settings
from host.settings import HostSettings

_NEW_PROCESSES = 0x20000000
# mounts, control groups, host name, System V objects, network
_NEW_WORLD = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x40000000
_DIE_WITH_PARENT = 1
# What a person may have chosen for agents; whatever else they are told is of the host itself.
_HANDED_ON = ("NOVELLA_REPORT_SECONDS", "NOVELLA_FULL_REPORT_SECONDS", "NOVELLA_ECHO_SECONDS")
_BACKLOG = 64

_libc = ctypes.CDLL(None, use_errno=True)


def leave_process_namespace() -> None:
    """Let the next child be the first process of a new process namespace."""
    _unshare(_NEW_PROCESSES)


def become_machine(settings: HostSettings, name: str, parent: socket.socket) -> NoReturn:
    """Turn this process, the first of its process namespace, into the host `name`. It dies with its parent.

    The parent says by a byte that we are in our control group, and gets the sockets that listen in the host; by another
    one it says that the host's cables are plugged in.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _check(_libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL))
    _wait_for(parent)
    _unshare(_NEW_WORLD)
    machine = machine_settings(settings, name)
    _furnish(settings, machine)
    socket.sethostname(name)
    _run("ip", "link", "set", "dev", "lo", "up")
    listeners = [_listen(port) for port in cable_ports(settings)]
    if cut_marker(settings, name).exists():
        _run("ip", "link", "set", "dev", "lo", "down")
    socket.send_fds(parent, [b"."], [one.fileno() for one in listeners])
    _wait_for(parent)
    wires.raise_up(name)
    _hide_control_plane(settings, machine)
    _boot(machine)


def _wait_for(parent: socket.socket) -> None:
    if not parent.recv(1):
        sys.exit("the parent died")


def _boot(machine: HostSettings) -> NoReturn:
    path = f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATHS}"
    chosen = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    environment = {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8", **chosen}
    # tini reaps what has lost its parent at once; libvirt waits for that.
    command = ["tini", "--", f"{sys.prefix}/bin/supervisord", "-n", "-c", supervision.configuration_file(machine)]
    os.execvpe("tini", command, environment)  # noqa: S606 - becoming it is the point


def _furnish(settings: HostSettings, machine: HostSettings) -> None:
    """Have file systems that show this host and not the machine that it is on."""
    _mount("--make-rslave", "/")
    _mount("-t", "proc", "proc", "/proc")
    _mount("-t", "sysfs", "sysfs", "/sys")
    _mount("-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
    netns = Path("/run/netns")
    netns.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(netns))
    etc = machine.state_dir / "etc"
    etc.mkdir(exist_ok=True)
    if not (etc / "machine-id").exists():
        (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
    (etc / "hosts").write_text(f"127.0.0.1 localhost {machine.machine}\n")
    for file in ("machine-id", "hosts"):
        if (Path("/etc") / file).exists():
            _mount("--bind", str(etc / file), f"/etc/{file}")


def _hide_control_plane(settings: HostSettings, machine: HostSettings) -> None:
    """Leave of the state folder what is this host's: database, secrets, images and other hosts are elsewhere."""
    own = os.open(machine.state_dir, os.O_PATH)
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(settings.state_dir))
    machine.state_dir.mkdir(parents=True)
    # The folder by its descriptor, as its path leads into the new file system.
    subprocess.run(
        ["mount", "--no-canonicalize", "--bind", f"/proc/self/fd/{own}", str(machine.state_dir)],
        check=True, pass_fds=(own,),
    )
    os.close(own)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    return listener


def _mount(*arguments: str) -> None:
    _run("mount", *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _unshare(flags: int) -> None:
    _check(_libc.unshare(flags))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
