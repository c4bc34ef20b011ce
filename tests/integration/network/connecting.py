"""Connections between guests, made and held by the test."""

import socket

from compute_agent.network import namespaces
from tests.integration.network.guests import Guest

DENIED_AFTER_SECONDS = 0.3


def serve(guest: Guest, number: int) -> socket.socket:
    return namespaces.run_in(guest.name, lambda: socket.create_server(("0.0.0.0", number)))  # noqa: S104


def connect(guest: Guest, address: str, number: int, source: str = "") -> socket.socket | None:
    """Return a connection, or None when nothing comes back."""

    def dial() -> socket.socket | None:
        try:
            where = (source, 0) if source else None
            return socket.create_connection((address, number), timeout=DENIED_AFTER_SECONDS, source_address=where)
        except TimeoutError:
            return None

    return namespaces.run_in(guest.name, dial)


def can_connect(guest: Guest, address: str, number: int, source: str = "") -> bool:
    """Whether the other side hears and is heard; one that refuses does too."""
    try:
        made = connect(guest, address, number, source)
    except ConnectionRefusedError:
        return True
    if made is not None:
        made.close()
    return made is not None


def is_alive(near: socket.socket, far: socket.socket) -> bool:
    """Whether a byte goes from each end to the other."""
    for one, other in ((near, far), (far, near)):
        one.settimeout(1)
        other.settimeout(DENIED_AFTER_SECONDS)
        one.send(b"x")
        try:
            if other.recv(1) != b"x":
                return False
        except TimeoutError:
            return False
    return True
