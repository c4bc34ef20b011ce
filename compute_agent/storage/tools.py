"""Running the few programs that make disks: explicit arguments, limited resources, a deadline."""

import subprocess

from compute_agent.errors import AgentError, HostDiskFull

_LIMITS = ("prlimit", "--as=1073741824", "--cpu=60", "--")
_TIMEOUT_SECONDS = 120


def run_tool(*command: str) -> None:
    """Run a program to its end.

    Raises:
        HostDiskFull: it said so.
        AgentError: it failed, took too long or is not installed.
    """
    try:
        done = subprocess.run(
            [*_LIMITS, *command], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise AgentError(f"{command[0]} could not be run: {exc}") from exc
    if done.returncode == 0:
        return
    said = done.stderr.strip()[-500:]
    if "No space left on device" in said:
        raise HostDiskFull(f"{command[0]}: {said}")
    raise AgentError(f"{command[0]} ended with {done.returncode}: {said}")
