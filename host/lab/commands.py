"""`python -m host lab ...`: faults on purpose, and a shell inside a host."""

import os
import shutil
import subprocess
from collections.abc import Callable
from xmlrpc.client import Fault

import psutil

from host import supervision
from host.lab import groups, wires
from host.lab.settings import cut_marker, lab_folder, machine_settings
from host.settings import HostSettings

_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")


class LabError(Exception):
    """A command cannot be carried out; the sentence says why."""


def cut(settings: HostSettings, name: str) -> None:
    """Cut a host off from the control plane, silently: what is under way hangs, nothing is refused."""
    cut_marker(settings, name).touch()
    _set_link(settings, name, "down")


def heal(settings: HostSettings, name: str) -> None:
    """Mend the cable."""
    cut_marker(settings, name).unlink(missing_ok=True)
    _set_link(settings, name, "up")


def kill(settings: HostSettings, name: str) -> None:
    """Cut the power of a host: guests, libvirtd, agent, all of it at once. It stays off until it is started."""
    _known(settings, name)
    supervision.stop_process(settings, name)


def start(settings: HostSettings, name: str) -> None:
    """Switch a host on; one that is on is left alone."""
    _known(settings, name)
    supervision.start_process(settings, name)


def is_cut(settings: HostSettings, name: str) -> bool:
    """Whether a host is cut off."""
    return cut_marker(settings, name).exists()


def first_pid(settings: HostSettings, name: str) -> int | None:
    """Return the process that is pid 1 inside the host, as the machine counts it; None when the host is off."""
    launcher = _known(settings, name)["pid"]
    if not launcher:
        return None
    try:
        children = psutil.Process(launcher).children()
    except psutil.NoSuchProcess:
        return None
    return next((child.pid for child in children if child.name() == "tini"), None)


def inside(settings: HostSettings, name: str, command: list[str]) -> list[str]:
    """Return the command that does `command` inside a host.

    Raises:
        LabError: there is no such host, or it is off.
    """
    pid = first_pid(settings, name)
    if pid is None:
        raise LabError(f"The host {name} is off. Start it: python -m host lab start {name}")
    return ["nsenter", "--target", str(pid), *_NAMESPACES, "--", *command]


def clear_lab(settings: HostSettings) -> None:
    """Remove what hosts of a lab left outside their namespaces. No supervisor may run any more."""
    folder = lab_folder(settings)
    names = {path.name for path in folder.iterdir() if path.is_dir()} if folder.exists() else set()
    if os.geteuid() != 0:
        return
    for name in sorted(names | groups.names(settings)):
        groups.end(groups.folder(settings, name))
        shutil.rmtree(machine_settings(settings, name).runtime_dir, ignore_errors=True)
    wires.remove(settings)


def shell(settings: HostSettings, name: str, command: list[str]) -> int:
    """Run a command inside a host, a shell if none is given; return its exit status."""
    libvirt = f"qemu+unix:///system?socket={machine_settings(settings, name).runtime_dir}/libvirt/libvirt-sock"
    environment = {**os.environ, "LIBVIRT_DEFAULT_URI": libvirt}
    words = inside(settings, name, command or ["bash"])
    return subprocess.run(words, env=environment, check=False).returncode


VERBS: dict[str, Callable[[HostSettings, str], None]] = {"cut": cut, "heal": heal, "kill": kill, "start": start}


def main(settings: HostSettings, arguments: list[str]) -> int:
    """Carry out `VERB HOST` or `sh HOST [COMMAND...]`; returns the exit status.

    Raises:
        LabError
    """
    match arguments:
        case ["sh", name, *command]:
            return shell(settings, name, command)
        case [verb, name] if verb in VERBS:
            VERBS[verb](settings, name)
            return 0
    raise LabError(f"usage: python -m host lab up|down | {'|'.join(VERBS)} HOST | sh HOST [COMMAND...]")


def _set_link(settings: HostSettings, name: str, state: str) -> None:
    if first_pid(settings, name) is not None:  # one that is off finds it so when it starts
        subprocess.run(inside(settings, name, ["ip", "link", "set", "dev", "lo", state]), check=True)


def _known(settings: HostSettings, name: str) -> dict[str, object]:
    try:
        rows = {row["name"]: row for row in supervision.processes(settings)}
    except (OSError, Fault) as error:
        raise LabError("The lab is not running. Start it: make lab HOSTS=3") from error
    hosts = [path.name for path in lab_folder(settings).glob("*") if path.name in rows]
    if name not in hosts:
        raise LabError(f"There is no host {name!r}; there are {', '.join(sorted(hosts))}.")
    return rows[name]
