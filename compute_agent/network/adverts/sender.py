"""Sends each network's advertisements by its namespace's leg: when they change, when a guest asks, and now and then."""

import contextlib
import json
import logging
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from compute_agent.network.hearing import hear_until
from compute_agent.network.names import LEG, Mark
from compute_agent.network.places import Identity, identity_of, opened_at

EVERY_SECONDS = 200.0
AT_MOST_EVERY_SECONDS = 1.0  # a guest that asks all the time is answered with the others

log = logging.getLogger(__name__)

_ALL_ROUTERS = socket.inet_pton(socket.AF_INET6, "ff02::2")
_ICMP6_FILTER, _SOLICITATION = 1, 133
_ONE_QUESTION = 1_500
Frames = dict[str, dict[str, str]]


@dataclass
class _Place:
    """A network's sockets, and what is sent there. `due`: by the monotonic clock; `sent`: when last."""

    identity: Identity
    hears: socket.socket
    speaks: socket.socket
    frames: Frames = field(default_factory=dict)
    due: float = 0.0
    sent: float = float("-inf")

    def close(self) -> None:
        self.hears.close()
        self.speaks.close()


class Advertiser:
    """Sends what the files of a state folder say until stopped."""

    def __init__(self, state_dir: Path) -> None:
        self._folder, self._mark = state_dir / "adverts", Mark.of(state_dir)
        self._places: dict[str, _Place] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    def run(self) -> None:
        """Send until stopped."""
        hear_until(self._stopped, self._look, self._hear)
        for place in self._places.values():
            place.close()

    def _look(self, selector: selectors.BaseSelector) -> None:
        """Follow the files: a network that was made anew, or whose file is gone, loses its sockets."""
        wanted = {path.stem: path for path in self._folder.glob("*.json")}
        for network in [*self._places]:
            if network not in wanted or identity_of(self._mark, network) != self._places[network].identity:
                if network not in wanted:
                    self._say_farewell(self._places[network], {})
                self._forget(selector, network)
        for network, path in wanted.items():
            with contextlib.suppress(OSError):  # it is being made or removed just now; the next look will tell
                if network not in self._places:
                    identity, sockets = opened_at(self._mark, network, _sockets)
                    self._places[network] = _Place(identity, *sockets)
                    selector.register(self._places[network].hears, selectors.EVENT_READ, network)
                self._read(self._places[network], path)
        self._send_what_is_due(selector)

    def _read(self, place: _Place, path: Path) -> None:
        try:
            frames: Frames = json.loads(path.read_bytes())
        except ValueError as exc:
            log.warning("%s is broken and ignored: %s", path, exc)
            return
        if frames != place.frames:
            self._say_farewell(place, frames)
            place.frames, place.due = frames, 0.0

    @staticmethod
    def _say_farewell(place: _Place, later: Frames) -> None:
        for sender in place.frames.keys() - later.keys():
            with contextlib.suppress(OSError):
                place.speaks.send(bytes.fromhex(place.frames[sender]["farewell"]))

    def _hear(self, network: str, hears: socket.socket) -> None:
        """Have a question answered at the next look: within half a second, as RFC 4861 has routers wait."""
        with contextlib.suppress(OSError):
            hears.recv(_ONE_QUESTION)
            place = self._places[network]
            place.due = min(place.due, place.sent + AT_MOST_EVERY_SECONDS)

    def _send_what_is_due(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        for network in [*self._places]:
            place = self._places[network]
            if place.due <= now:
                try:
                    for frame in place.frames.values():
                        place.speaks.send(bytes.fromhex(frame["advert"]))
                except OSError:  # the leg is gone, or down: the next look opens what there is then
                    self._forget(selector, network)
                    continue
                place.sent, place.due = now, now + EVERY_SECONDS

    def _forget(self, selector: selectors.BaseSelector, network: str) -> None:
        place = self._places.pop(network)
        selector.unregister(place.hears)
        place.close()


def _sockets() -> tuple[socket.socket, socket.socket]:
    """Return one that hears who asks for routers, and one that sends frames; in the namespace of the calling thread."""
    hears = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    speaks = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        only = bytearray(b"\xff" * 32)  # a bit for each type, set for those that are not wanted
        word = struct.unpack_from("=I", only, _SOLICITATION // 32 * 4)[0] & ~(1 << _SOLICITATION % 32)
        struct.pack_into("=I", only, _SOLICITATION // 32 * 4, word)
        hears.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(only))
        group = _ALL_ROUTERS + struct.pack("@I", socket.if_nametoindex(LEG))
        hears.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        hears.setblocking(False)
        speaks.bind((LEG, 0))
    except OSError:
        hears.close()
        speaks.close()
        raise
    return hears, speaks
