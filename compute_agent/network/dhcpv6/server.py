"""Answers DHCPv6 in the namespace of each network that has it, from files; it remembers nothing of whom it answered."""

import contextlib
import json
import logging
import selectors
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from compute_agent.network.dhcpv6.messages import Lease, answer, leases, server_id
from compute_agent.network.names import LEG, Mark
from compute_agent.network.places import Identity, identity_of, opened_in

POLL_SECONDS = 0.5
MOST_QUESTIONS = 10  # of one guest between two looks; who asks on is not heard, so that others are

log = logging.getLogger(__name__)

_SERVER_PORT, _CLIENT_PORT = 547, 546
_ALL_SERVERS = socket.inet_pton(socket.AF_INET6, "ff02::1:2")
_LARGEST_QUESTION = 1_500


@dataclass(frozen=True)
class _Place:
    """A network's socket, and where it was opened."""

    identity: Identity
    socket: socket.socket


class LeaseServer:
    """Answers what the files of a state folder say until stopped."""

    def __init__(self, state_dir: Path) -> None:
        self._folder, self._mark = state_dir / "dhcpv6", Mark.of(state_dir)
        self._places: dict[str, _Place] = {}
        self._asked: Counter[tuple[str, str]] = Counter()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    def run(self) -> None:
        """Answer until stopped."""
        with selectors.DefaultSelector() as selector:
            look_at = 0.0
            while not self._stopped.is_set():
                if time.monotonic() >= look_at:
                    self._look(selector)
                    look_at = time.monotonic() + POLL_SECONDS
                for key, _ in selector.select(timeout=max(look_at - time.monotonic(), 0)):
                    self._hear(key.data)
            for place in self._places.values():
                place.socket.close()

    def _look(self, selector: selectors.BaseSelector) -> None:
        """Follow the files: a network that was made anew, or whose file is gone, loses its socket."""
        self._asked.clear()
        wanted = {path.stem for path in self._folder.glob("*.json")}
        for network in [*self._places]:
            if network not in wanted or identity_of(self._mark, network) != self._places[network].identity:
                place = self._places.pop(network)
                selector.unregister(place.socket)
                place.socket.close()
        for network in wanted - self._places.keys():
            with contextlib.suppress(OSError):  # it is being made or removed just now; the next look will tell
                identity = identity_of(self._mark, network)
                if identity is not None:
                    place = _Place(identity, opened_in(self._mark.namespace(network), _open))
                    self._places[network] = place
                    selector.register(place.socket, selectors.EVENT_READ, network)

    def _hear(self, network: str) -> None:
        with contextlib.suppress(OSError):  # FileNotFoundError among them: the network goes
            place = self._places[network].socket
            question, (source, *_, scope) = place.recvfrom(_LARGEST_QUESTION)
            self._asked[network, source] += 1
            lease = self._lease(network, source) if self._asked[network, source] <= MOST_QUESTIONS else None
            said = answer(question, lease, server_id(self._mark.leg_mac(network))) if lease else None
            if said is not None:
                place.sendto(said, (source, _CLIENT_PORT, 0, scope))

    def _lease(self, network: str, source: str) -> Lease | None:
        path = self._folder / f"{network}.json"
        try:
            return leases(json.loads(path.read_bytes())).get(source)
        except ValueError as exc:
            log.warning("%s is broken and ignored: %s", path, exc)
            return None


def _open() -> socket.socket:
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
