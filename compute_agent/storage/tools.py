"""Running the few programs that make disks: explicit arguments, limited resources, a deadline."""

import os
import subprocess
from dataclasses import dataclass

from compute_agent.errors import AgentError, HostDiskFull

_MEMORY_BYTES = 1 << 30


@dataclass(frozen=True)
class Limits:
    """How long a program may compute, and take."""

    cpu_seconds: int
    timeout_seconds: int


MAKING = Limits(cpu_seconds=60, timeout_seconds=120)
# For what reads and writes a whole disk.
COPYING = Limits(cpu_seconds=1200, timeout_seconds=1500)


def run_tool(*command: str, limits: Limits = MAKING) -> None:
    """Run a program to its end.

    Raises:
        HostDiskFull: it said so.
        AgentError: it failed, took too long or is not installed.
    """
    # A tool that outlived a killed agent would write into what the next agent makes anew.
    bounds = ("setpriv", "--pdeathsig", "KILL", "prlimit", f"--as={_MEMORY_BYTES}", f"--cpu={limits.cpu_seconds}", "--")
    # Each thread of qemu-img would reserve address space for an arena of its own, and now and then there is no room.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    try:
        done = subprocess.run(
            [*bounds, *command],
            capture_output=True, text=True, timeout=limits.timeout_seconds, check=False, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise AgentError(f"{command[0]} could not be run: {exc}") from exc
    if done.returncode == 0:
        return
    said = done.stderr.strip()[-500:]
    if "No space left on device" in said:
        raise HostDiskFull(f"{command[0]}: {said}")
    raise AgentError(f"{command[0]} ended with {done.returncode}: {said}")
