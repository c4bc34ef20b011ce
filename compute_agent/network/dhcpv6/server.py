"""Answers DHCPv6 in the namespace of each network that has it, from files; it remembers nothing of whom it answered."""

import contextlib
import json
import logging
import selectors
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compute_agent.network.dhcpv6.messages import Lease, answer, leases, server_id
from compute_agent.network.hearing import hear_until
from compute_agent.network.names import LEG, Mark
from compute_agent.network.places import Identity, identity_of, opened_at

MOST_QUESTIONS = 10  # of one guest between two looks; who asks on is not heard, so that others are

log = logging.getLogger(__name__)

_SERVER_PORT, _CLIENT_PORT = 547, 546
_ALL_SERVERS = socket.inet_pton(socket.AF_INET6, "ff02::1:2")
_LARGEST_QUESTION = 1_500


@dataclass
class _Place:
    """A network's socket, where it was opened, what is given there, and how often who asked since the last look."""

    identity: Identity
    socket: socket.socket
    leases: Mapping[str, Lease] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)


class LeaseServer:
    """Answers what the files of a state folder say until stopped."""

    def __init__(self, state_dir: Path) -> None:
        self._folder, self._mark = state_dir / "dhcpv6", Mark.of(state_dir)
        self._places: dict[str, _Place] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    def run(self) -> None:
        """Answer until stopped."""
        hear_until(self._stopped, self._look, self._hear)

    def _look(self, selector: selectors.BaseSelector) -> None:
        """Follow the files: a network that was made anew, or whose file is gone, loses its socket."""
        wanted = {path.stem: path for path in self._folder.glob("*.json")}
        for network in [*self._places]:
            if network not in wanted or identity_of(self._mark, network) != self._places[network].identity:
                place = self._places.pop(network)
                selector.unregister(place.socket)
                place.socket.close()
        for network, path in wanted.items():
            with contextlib.suppress(OSError):  # it is being made or removed just now; the next look will tell
                if network not in self._places:
                    self._places[network] = _Place(*opened_at(self._mark, network, _socket))
                    selector.register(self._places[network].socket, selectors.EVENT_READ, network)
                self._read(self._places[network], path)

    @staticmethod
    def _read(place: _Place, path: Path) -> None:
        place.asked.clear()
        try:
            place.leases = leases(json.loads(path.read_bytes()))
        except ValueError as exc:
            log.warning("%s is broken and ignored: %s", path, exc)

    def _hear(self, network: str, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            question, (source, *_, scope) = near.recvfrom(_LARGEST_QUESTION)
            place = self._places[network]
            lease = place.leases.get(source)
            if lease is None:
                return
            place.asked[source] += 1
            is_heard = place.asked[source] <= MOST_QUESTIONS
            said = answer(question, lease, server_id(self._mark.leg_mac(network))) if is_heard else None
            if said is not None:
                near.sendto(said, (source, _CLIENT_PORT, 0, scope))


def _socket() -> socket.socket:
    """Return a socket for all who ask on the leg; in the namespace of the calling thread."""
    found = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, LEG.encode())
        group = _ALL_SERVERS + struct.pack("@I", socket.if_nametoindex(LEG))
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        found.bind(("::", _SERVER_PORT))
        found.setblocking(False)
    except OSError:
        found.close()
        raise
    return found
