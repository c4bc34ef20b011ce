"""The listening sockets of the metadata addresses inside each network's namespace."""

import contextlib
import socket
from pathlib import Path

from compute_agent.network.names import LEG, Mark
from compute_agent.network.places import Identity, identity_of, opened_in

PORT = 80
# By address family; a network without IPv6 has no such address, and no socket for it.
ADDRESSES = {socket.AF_INET: "169.254.169.254", socket.AF_INET6: "fe80::a9fe:a9fe"}

_BACKLOG = 64
Sockets = dict[tuple[str, socket.AddressFamily], socket.socket]


class Listeners:
    """The sockets by network. A network that was made anew gets new ones, because the old ones are elsewhere."""

    def __init__(self, state_dir: Path) -> None:
        self._mark = Mark.of(state_dir)
        self._folder = state_dir / "metadata"
        self._sockets: Sockets = {}
        self._identities: dict[str, Identity] = {}

    def refresh(self) -> tuple[list[tuple[str, socket.socket]], list[socket.socket]]:
        """Look for new and gone networks; return the new sockets, each with its network, and those to close."""
        wanted = self._wanted()
        gone = [key for key in self._sockets if wanted.get(key[0]) != self._identities[key[0]]]
        closing = [self._sockets.pop(key) for key in gone]
        opened: list[tuple[str, socket.socket]] = []
        for network in wanted:
            for family, address in ADDRESSES.items():
                if (network, family) not in self._sockets and self._is_asked(network, family):
                    # OSError: the namespace is being made or removed just now, or has no such address; the next look
                    # will tell.
                    with contextlib.suppress(OSError):
                        listener = _listen(self._mark.namespace(network), family, address)
                        self._sockets[network, family] = listener
                        opened.append((network, listener))
        self._identities = wanted
        return opened, closing

    def _is_asked(self, network: str, family: socket.AddressFamily) -> bool:
        """Whether somebody is known by an address of a family: opening costs a thread, so it is not tried in vain."""
        return family == socket.AF_INET or any(self._folder.joinpath(network).glob("*:*.json"))

    def _wanted(self) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        with contextlib.suppress(FileNotFoundError):
            for folder in self._folder.iterdir():
                identity = identity_of(self._mark, folder.name)
                if identity is not None:
                    found[folder.name] = identity
        return found


def _listen(namespace: str, family: socket.AddressFamily, address: str) -> socket.socket:
    return opened_in(namespace, lambda: _open(family, address))


def _open(family: socket.AddressFamily, address: str) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        scope = (0, socket.if_nametoindex(LEG)) if family == socket.AF_INET6 else ()
        listener.bind((address, PORT, *scope))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
