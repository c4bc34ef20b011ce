"""New guests of which the control plane may never hear: their host takes them down before another makes them anew.

A host that is cut off while it builds goes on, and cannot say so. After a minute it counts as down and the server is
built elsewhere, so its own guest would be a second copy. It knows which answers the broker did not take; the power of
those guests is cut once the host was silent for long, which is sooner (ADR 58).
"""

import logging
import threading
from typing import Any

from compute_agent.drivers.base import PowerState
from compute_agent.errors import AgentError
from compute_agent.fences import forget_answer
from compute_agent.operations.bring_up import power_state_of
from compute_agent.tasks import Agent, Station, genuine
from contracts.compute import SpawnServer
from contracts.envelope import Order

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_LOCK_SECONDS = 1.0


class Unheard:
    """The builds of a process whose answers were not taken yet, and a thread that looks after them.

    Args:
        agent: whose orders these are.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._guard = threading.Lock()
        self._orders: dict[str, Order] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unheard", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    def begin(self, name: str, wire: Any) -> None:
        """Take note of an order that is about to be carried out."""
        order = genuine(self._agent, name, wire) if name == SpawnServer.NAME else None
        if order is not None and order.host in self._agent.stations:
            with self._guard:
                self._orders[_key(wire)] = order

    def heard(self, name: str, wire: Any) -> None:
        """Take note that the broker has the answer to an order."""
        if name == SpawnServer.NAME and isinstance(wire, dict):
            with self._guard:
                self._orders.pop(_key(wire), None)

    def look(self) -> None:
        """Cut the power of every guest of which nobody will hear in time."""
        with self._guard:
            orders = list(self._orders.items())
        for key, order in orders:
            station = self._agent.stations[order.host]
            if not (station.host.silence.is_long or station.host.clock() > order.not_after):
                continue
            try:
                self._take_down(station, key, order)
            except AgentError as exc:
                log.warning("instance=%s nobody heard of it, and it cannot be stopped: %s", order.instance_uuid, exc)

    def _take_down(self, station: Station, key: str, order: Order) -> None:
        with station.locks.hold(order.instance_uuid, _LOCK_SECONDS):
            with self._guard:
                if self._orders.get(key) is not order:
                    return  # heard meanwhile, or begun again
            if power_state_of(station.host, order.instance_uuid) is PowerState.RUNNING:
                forget_answer(order, station.fences)
                station.host.driver.power_off(order.instance_uuid)
                log.warning("instance=%s stopped: nobody heard that it was built", order.instance_uuid)
        with self._guard:
            if self._orders.get(key) is order:
                del self._orders[key]

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            self.look()


def _key(wire: dict[str, Any]) -> str:
    return " ".join(str(wire.get(name)) for name in ("operation_id", "attempt", "instance_uuid"))
