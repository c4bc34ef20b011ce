"""`make down`: end everything that `make up` began, and leave nothing of ours on the machine.

The state folder stays: images, the database, the logs. Guests do not: their disks stay, their domains end.
"""

import os
import shutil
import subprocess
import sys

from host import supervision
from host.environment import read_environment
from host.settings import CHECKOUT, HostSettings

# Whoever could make new domains or taps ends before they are removed.
_FIRST = ("api", "beat", "conductor", "scheduler", "agent", "agent-slow", "agents", "metadata")


def down(settings: HostSettings) -> None:
    """End the cloud; one that does not run is cleaned up after all the same."""
    environment = {**os.environ, **read_environment(settings.environment_file)}
    is_running = supervision.is_running(settings)
    if is_running:
        for name in _FIRST:
            supervision.stop_process(settings, name)
    if environment.get("NOVELLA_HYPERVISOR") == "libvirt" and os.geteuid() == 0:
        subprocess.run([sys.executable, "-m", "compute_agent.purge"], cwd=CHECKOUT, env=environment, check=True)
    if is_running:
        supervision.stop(settings)
    if environment.get("NOVELLA_HYPERVISOR") == "libvirt" and os.geteuid() == 0:
        subprocess.run([sys.executable, "-m", "host.libvirtd", "stop-all"], cwd=CHECKOUT, env=environment, check=True)
    shutil.rmtree(settings.runtime_dir, ignore_errors=True)
    print("Everything is down. The state is kept in", settings.state_dir, flush=True)
