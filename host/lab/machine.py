"""`python -m host.lab.machine NAME`: a host's power and cable, in the foreground.

It makes the host and stays until the host is off. SIGTERM cuts the power; so does its own end, however it comes.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys

from host.environment import write_private
from host.lab import cable, groups, wires
from host.lab.namespaces import become_machine, leave_process_namespace
from host.lab.settings import cable_ports, machine_settings
from host.processes import supervisor_configuration
from host.settings import HostSettings, SettingsError, read_settings

_ASKED = (signal.SIGTERM, signal.SIGINT)


def power_on(settings: HostSettings, name: str) -> int:
    """Run the host until it is off; return 0 when that was asked for."""
    # Until the loop listens for them, signals wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)
    group = groups.folder(settings, name)
    groups.end(group)
    _clear(settings, name)
    ours, theirs = socket.socketpair()
    leave_process_namespace()
    pid = os.fork()
    if pid == 0:
        ours.close()
        become_machine(settings, name, theirs)
    theirs.close()
    try:
        groups.join(group, pid)
        ours.sendall(b".")
        listeners = _receive(ours, len(cable_ports(settings)))
        wires.plug_in(settings, name, pid)
        ours.sendall(b".")
        return asyncio.run(_stay(pid, listeners))
    finally:
        groups.end(group)
        os.waitpid(pid, 0)


def _clear(settings: HostSettings, name: str) -> None:
    """Have what a host finds when it boots: its disk as it was, and nothing of what it had in memory."""
    machine = machine_settings(settings, name)
    shutil.rmtree(machine.runtime_dir, ignore_errors=True)
    machine.runtime_dir.mkdir(mode=0o700)
    (machine.state_dir / "log").mkdir(parents=True, exist_ok=True)
    write_private(machine.state_dir / "supervisord.conf", supervisor_configuration(machine))


def _receive(channel: socket.socket, count: int) -> list[socket.socket]:
    _, descriptors, _, _ = socket.recv_fds(channel, 1, count)
    if len(descriptors) != count:
        sys.exit("the host did not start; the reason stands above")
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


async def _stay(pid: int, listeners: list[socket.socket]) -> int:
    """Serve the cable until the host is off or shall be."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(status: int) -> None:
        if not ended.done():
            ended.set_result(status)

    for number in _ASKED:
        loop.add_signal_handler(number, end, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKED)
    watched = os.pidfd_open(pid)
    loop.add_reader(watched, end, 1)
    servers = await cable.plug_in(listeners)
    status = await ended
    for server in servers:
        server.close()
    return status


def main() -> int:
    """Run the host that the command line names, with the settings of the environment."""
    try:
        return power_on(read_settings(os.environ), sys.argv[1])
    except (SettingsError, groups.GroupError) as error:
        print(error, file=sys.stderr)
        return 78  # EX_CONFIG


if __name__ == "__main__":
    sys.exit(main())
