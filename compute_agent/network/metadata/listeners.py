"""A listening socket inside each network's namespace, opened by a thread that goes there; a socket keeps its place."""

import contextlib
import ctypes
import os
import socket
import threading
from pathlib import Path

from compute_agent.network.names import Mark

ADDRESS = ("169.254.169.254", 80)

_NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_BACKLOG = 64
Identity = tuple[int, int]


class Listeners:
    """The sockets by network. A network that was made anew gets a new socket, because the old one is elsewhere."""

    def __init__(self, state_dir: Path, address: tuple[str, int] = ADDRESS) -> None:
        self._mark = Mark.of(state_dir)
        self._folder = state_dir / "metadata"
        self._address = address
        self._sockets: dict[str, tuple[Identity, socket.socket]] = {}

    def refresh(self) -> tuple[dict[str, socket.socket], list[socket.socket]]:
        """Look for new and gone networks; return the new sockets by network, and those to close."""
        wanted = self._wanted()
        gone = [network for network, (identity, _) in self._sockets.items() if wanted.get(network) != identity]
        closing = [self._sockets.pop(network)[1] for network in gone]
        opened: dict[str, socket.socket] = {}
        for network, identity in wanted.items():
            if network not in self._sockets:
                # OSError: the namespace is being made or removed just now; the next look will tell.
                with contextlib.suppress(OSError):
                    opened[network] = _listen(_NAMESPACES / self._mark.namespace(network), self._address)
                    self._sockets[network] = (identity, opened[network])
        return opened, closing

    def _wanted(self) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        with contextlib.suppress(FileNotFoundError):
            for folder in self._folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    seen = (_NAMESPACES / self._mark.namespace(folder.name)).stat()
                    found[folder.name] = (seen.st_dev, seen.st_ino)
        return found


def _listen(namespace: Path, address: tuple[str, int]) -> socket.socket:
    """Return a socket that listens on `address` inside the namespace.

    Raises:
        OSError: the namespace or the address is not there.
    """
    results: list[socket.socket] = []
    errors: list[OSError] = []

    def run() -> None:
        try:
            _enter(namespace)
            results.append(_open(address))
        except OSError as exc:
            errors.append(exc)

    thread = threading.Thread(target=run)  # it never comes back from where it goes, so it is not used again
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _enter(namespace: Path) -> None:
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    finally:
        os.close(descriptor)


def _open(address: tuple[str, int]) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
