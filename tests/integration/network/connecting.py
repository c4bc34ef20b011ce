"""Connections between guests, made and held by the test.

What shall come about is waited for: a port just plugged passes nothing in its first moments, and a machine may be busy.
What shall not come about is denied when nothing comes back soon; that means something only where a way is known to be
there, as by `finds` or by another connection.
"""

import errno
import socket
from contextlib import ExitStack

from compute_agent.network import namespaces
from tests.fixtures.patience import eventually, first
from tests.integration.network.guests import Guest

DENIED_AFTER_SECONDS = 0.3
# Of each try; a question or a greeting that was lost is repeated after a second.
_TRY_SECONDS, _PATIENCE_SECONDS = 2.0, 20.0
# Of a neighbour that did not say in time where it is.
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH})


def serve(guest: Guest, number: int) -> socket.socket:
    return namespaces.run_in(guest.name, lambda: socket.create_server(("0.0.0.0", number)))  # noqa: S104


def dial(
    guest: Guest, address: str, number: int, source: str = "", seconds: float = _TRY_SECONDS
) -> socket.socket | None:
    """Try once; return a connection, or None when nothing comes back."""

    def try_once() -> socket.socket | None:
        try:
            where = (source, 0) if source else None
            return socket.create_connection((address, number), timeout=seconds, source_address=where)
        except TimeoutError:
            return None
        except OSError as exc:
            if exc.errno not in _UNREACHABLE:
                raise
            return None

    return namespaces.run_in(guest.name, try_once)


def connect(
    near: Guest, far: Guest, number: int, ends: ExitStack, address: str = ""
) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection that is let pass, which close with the stack."""
    with serve(far, number) as listener:
        made = first(lambda: dial(near, address or far.port.fixed_ips[0].ip_address, number), _PATIENCE_SECONDS)
        assert made is not None
        ends.enter_context(made)
        made.send(b"!")
        listener.settimeout(_PATIENCE_SECONDS)
        while True:
            there = ends.enter_context(listener.accept()[0])
            there.settimeout(_PATIENCE_SECONDS)
            if there.recv(1):  # else it is of a try that was given up
                return made, there


def is_heard(guest: Guest, address: str, number: int, source: str = "", seconds: float = _TRY_SECONDS) -> bool:
    """Whether the other side hears and is heard; one that refuses does too."""
    try:
        made = dial(guest, address, number, source, seconds)
    except ConnectionRefusedError:
        return True
    if made is not None:
        made.close()
    return made is not None


def can_connect(guest: Guest, address: str, number: int, source: str = "") -> bool:
    """Whether the other side comes to hear and to be heard."""
    return eventually(lambda: is_heard(guest, address, number, source), _PATIENCE_SECONDS)


def is_denied(guest: Guest, address: str, number: int, source: str = "") -> bool:
    """Whether nothing comes back."""
    return not is_heard(guest, address, number, source, DENIED_AFTER_SECONDS)


def is_alive(near: socket.socket, far: socket.socket) -> bool:
    """Whether a byte goes from each end to the other."""
    return all(_passes(*way, _PATIENCE_SECONDS) for way in ((near, far), (far, near)))


def is_cut(near: socket.socket, far: socket.socket) -> bool:
    """Whether a byte from the near end does not come to the other one."""
    return not _passes(near, far, DENIED_AFTER_SECONDS)


def _passes(one: socket.socket, other: socket.socket, seconds: float) -> bool:
    one.settimeout(1)
    other.settimeout(seconds)
    one.send(b"x")
    try:
        return other.recv(1) == b"x"
    except TimeoutError:
        return False
