"""What the agent looks after once a minute: networks that lost a part, logs that grow, memories that nobody needs."""

import logging
import threading
from collections.abc import Iterable

from compute_agent.errors import AgentError
from compute_agent.tasks import Station

log = logging.getLogger(__name__)


class Upkeep:
    """A thread of its own, so that a slow repair delays no heartbeat."""

    def __init__(self, stations: Iterable[Station], every_seconds: float) -> None:
        self._stations = tuple(stations)
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin, with a round at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present round."""
        self._stopped.set()

    def round(self) -> None:
        """Look after every host once."""
        for station in self._stations:
            try:
                station.host.network.restore()
                station.host.storage.trim_console_logs()
                station.host.storage.sweep()
                station.fences.prune()
            except (AgentError, OSError) as exc:
                log.warning("host=%s upkeep failed, will be tried again: %s", station.host.name, exc)

    def _run(self) -> None:
        self.round()
        while not self._stopped.wait(self._every_seconds):
            self.round()
