"""Guests of ports without port security may change their MAC addresses: what is for them follows."""

import logging
import threading
from collections.abc import Iterable

from compute_agent.errors import AgentError
from compute_agent.tasks import Station

log = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0


class Following:
    """A thread that looks every two seconds; a host that has no such port costs a glance at its document.

    Args:
        stations: of the hosts.
    """

    def __init__(self, stations: Iterable[Station]) -> None:
        self._stations = tuple(stations)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    def look(self) -> None:
        """Look at every host once."""
        for station in self._stations:
            try:
                station.host.network.follow_guests()
            except (AgentError, OSError) as exc:
                log.warning("host=%s guests not followed, will be tried again: %s", station.host.name, exc)

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            self.look()
