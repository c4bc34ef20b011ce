"""`make down`: end everything that `make up` began, and leave nothing of ours on the machine.

The state folder stays: images, the database, the logs, the disks and definitions of the guests, which are shut off.
"""

import os
import shutil
import subprocess
import sys

from host import supervision
from host.environment import read_environment
from host.lab.commands import clear_lab
from host.settings import CHECKOUT, HostSettings

# Whoever could make new domains or taps ends before they are removed.
_FIRST = ("api", "beat", "conductor", "scheduler", "agent", "agent-slow", "agents", "metadata")


def down(settings: HostSettings) -> None:
    """End the cloud; one that does not run is cleaned up after all the same."""
    environment = {**os.environ, **read_environment(settings.environment_file)}
    _end_processes(settings, environment)
    clear_lab(settings)
    shutil.rmtree(settings.runtime_dir, ignore_errors=True)
    print("Everything is down. The state is kept in", settings.state_dir, flush=True)


def _end_processes(settings: HostSettings, environment: dict[str, str]) -> None:
    is_running = supervision.is_running(settings)
    if is_running:
        for name in _FIRST:
            supervision.stop_process(settings, name)
    is_real = environment.get("NOVELLA_HYPERVISOR") == "libvirt" and os.geteuid() == 0
    if is_real:
        # Without a libvirtd, stop-all below ends the guests by their pid files.
        _module(environment, "compute_agent.purge", *([] if is_running else ["--no-domains"]))
    if is_running:
        supervision.stop(settings)
    supervision.end_strays(settings)
    if is_real:
        _module(environment, "host.libvirtd", "stop-all")


def _module(environment: dict[str, str], name: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", name, *arguments], cwd=CHECKOUT, env=environment, check=True)
