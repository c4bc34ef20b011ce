"""`make status` and `make logs`."""

import os
import subprocess
import sys
import time
from datetime import timedelta

import psutil

from host import supervision
from host.environment import read_environment
from host.lab.commands import is_cut
from host.settings import CHECKOUT, HostSettings


def status(settings: HostSettings) -> int:
    """Print each process with its age and memory, and each host with its guests. Returns the exit status."""
    if not supervision.is_running(settings):
        print("The cloud is not running. Start it: make up")
        return 3
    total = 0
    print(f"{'process':<12} {'state':<9} {'up for':>10} {'memory':>9}")
    for process in supervision.processes(settings):
        memory = tree_memory_bytes(process["pid"]) if process["pid"] else 0
        total += memory
        age = timedelta(seconds=int(time.time() - process["start"])) if process["pid"] else ""
        state = process["statename"].lower() + (", cut off" if is_cut(settings, process["name"]) else "")
        print(f"{process['name']:<12} {state:<9} {age!s:>10} {memory / 2**20:>6.0f} MB")
    print(f"{'together':<33} {total / 2**20:>6.0f} MB\n")
    environment = {**os.environ, **read_environment(settings.environment_file)}
    return subprocess.run(
        [sys.executable, "manage.py", "cloud_status"], cwd=CHECKOUT, env=environment, check=False
    ).returncode


def tree_memory_bytes(pid: int) -> int:
    """Return the proportional memory (PSS) of a process and its descendants, guests of the hypervisor apart."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_memory(member) for member in family)


def _memory(process: psutil.Process) -> int:
    try:
        if process.name().startswith("qemu-system"):
            return 0
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def logs(settings: HostSettings) -> int:
    """Follow the logs of every process. Returns the exit status."""
    patterns = ("log/*.log", "lab/*/log/*.log")
    files = sorted(str(path) for pattern in patterns for path in settings.state_dir.glob(pattern))
    if not files:
        print("There are no logs yet. Start the cloud: make up")
        return 3
    try:
        return subprocess.run(["tail", "-n", "20", "-F", *files], check=False).returncode
    except KeyboardInterrupt:
        return 0
