"""Talking to the supervisor that keeps the cloud's processes alive."""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from host.environment import write_private
from host.processes import supervisor_configuration
from host.settings import CHECKOUT, HostSettings

_START_SECONDS, _STOP_SECONDS = 60.0, 120.0
_STRAY_SECONDS = 10.0


def _url(settings: HostSettings) -> str:
    return f"unix://{settings.runtime_dir}/supervisor.sock"


def configuration_file(settings: HostSettings) -> str:
    """Return the path of the supervisor's configuration."""
    return str(settings.state_dir / "supervisord.conf")


@contextmanager
def _server(settings: HostSettings) -> Iterator[Any]:
    transport = SupervisorTransport(None, None, _url(settings))
    try:
        yield ServerProxy("http://127.0.0.1", transport=transport).supervisor
    finally:
        transport.close()


def is_running(settings: HostSettings) -> bool:
    """Tell whether this checkout's supervisor answers."""
    try:
        with _server(settings) as server:
            return bool(server.getState()["statename"] == "RUNNING")
    except (OSError, Fault):
        return False


def start(settings: HostSettings) -> None:
    """Write the configuration and start the supervisor with the first processes; `start_rest` starts the others."""
    settings.runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.state_dir / "log").mkdir(parents=True, exist_ok=True)
    # Counters of processes that are gone would count for ever.
    shutil.rmtree(settings.state_dir / "metrics", ignore_errors=True)
    (settings.state_dir / "metrics").mkdir()
    write_private(settings.state_dir / "supervisord.conf", supervisor_configuration(settings, first_only=True))
    subprocess.run(
        [f"{sys.prefix}/bin/supervisord", "-c", configuration_file(settings)], cwd=CHECKOUT, check=True
    )
    deadline = time.monotonic() + _START_SECONDS
    while not is_running(settings):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the supervisor did not start; see {settings.state_dir}/log/supervisord.log")
        time.sleep(0.02)
    write_private(settings.state_dir / "supervisord.conf", supervisor_configuration(settings))


def start_rest(settings: HostSettings) -> None:
    """Start what the configuration names and the supervisor does not know yet; nothing, where it knows everything."""
    with _server(settings) as server:
        ((added, _, _),) = server.reloadConfig()
        for name in added:
            server.addProcessGroup(name)
        # It looks at what it shall start when somebody speaks to it, or after a second.
        while any(one["statename"] == "STOPPED" for one in server.getAllProcessInfo() if one["group"] in added):
            time.sleep(0.02)


def stop(settings: HostSettings) -> None:
    """End every process and the supervisor, and wait until it is gone."""
    with _server(settings) as server:
        pid = server.getPID()
        server.shutdown()
    deadline = time.monotonic() + _STOP_SECONDS
    while is_running(settings) or _exists(pid):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the supervisor (process {pid}) did not end")
        time.sleep(0.05)


def stop_process(settings: HostSettings, name: str) -> None:
    """End one process and keep it ended; one that does not run is left alone."""
    try:
        with _server(settings) as server:
            server.stopProcess(name)
    except Fault as fault:
        if "NOT_RUNNING" not in fault.faultString and "BAD_NAME" not in fault.faultString:
            raise


def start_process(settings: HostSettings, name: str) -> None:
    """Have a process run again that was ended."""
    try:
        with _server(settings) as server:
            server.startProcess(name)
    except Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            raise


def strays(settings: HostSettings) -> list[psutil.Process]:
    """Return what a supervisor of ours started that is gone, and a supervisor that does not answer."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            is_supervisor = configuration_file(settings) in words and f"{sys.prefix}/bin/supervisord" in words
            if is_supervisor or process.environ().get("SUPERVISOR_SERVER_URL") == _url(settings):
                found.append(process)
    return found


def end_strays(settings: HostSettings) -> None:
    """End what a crashed supervisor left behind: first itself, then what it would start again."""
    for process in strays(settings):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    left = psutil.wait_procs(strays(settings), timeout=_STRAY_SECONDS)[1]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=_STRAY_SECONDS)


def processes(settings: HostSettings) -> Iterator[dict[str, Any]]:
    """Yield what the supervisor knows of each process: name, statename, pid, start, spawnerr."""
    with _server(settings) as server:
        yield from server.getAllProcessInfo()


def _exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second: it went between opening and reading
        return False
