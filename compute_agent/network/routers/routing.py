"""All routers of this host: those that are told are there, and no others."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from pyroute2.netlink.exceptions import NetlinkError

from compute_agent.errors import AgentError
from compute_agent.locks import FileLocks
from compute_agent.network import namespaces, wiring
from compute_agent.network.links import Links
from compute_agent.network.names import Mark
from compute_agent.network.routers import outside
from compute_agent.network.routers.furnishing import HoldNetwork, ensure_router
from compute_agent.network.routers.legs import Leg, legs_of
from contracts.networks import HostNetworks

log = logging.getLogger(__name__)

_LOCK_SECONDS = 60.0


class Routers:
    """The routers in the kernel.

    Args:
        mark: of our installation.
        locks: of the host's networks.
        hold: takes the lock of a network.
        carry: has the carrier of a network whose bridge is there; called with the lock of that network.
        wires: the host's interfaces by the physical networks that they lead to.
    """

    def __init__(
        self, mark: Mark, locks: FileLocks, hold: HoldNetwork, carry: Callable[[str], None], wires: Mapping[str, str]
    ) -> None:
        self._mark, self._locks, self._hold, self._carry, self._wires = mark, locks, hold, carry, wires

    def bring(self, read: Callable[[], HostNetworks]) -> int:
        """Have the kernel as the document says that is read; return its version.

        One router that cannot be had keeps no other from it.

        Raises:
            VifPlugFailed: the first refusal of the kernel.
        """
        with self._locks.hold("routers", _LOCK_SECONDS):
            document = read()  # by nobody else meanwhile: nobody goes back to an older one
            wanted = {id: legs_of(spec, document.networks) for id, spec in document.routers.items() if spec.is_up}
            self._remove_stale(wanted)
            errors: list[Exception] = []
            for router_id, legs in wanted.items():
                with _kept(errors, router_id):
                    ensure_router(self._mark, router_id, document.routers[router_id], legs, self._join)
            outside.bring(self._mark, document, self._wires)
        if errors:
            raise errors[0]
        return document.version

    @contextmanager
    def _join(self, network_id: str) -> Iterator[None]:
        """Hold a network whose bridge comes and goes with its guests, and have it carried then."""
        with self._hold(network_id):
            yield
            self._carry(network_id)

    def _remove_stale(self, wanted: Mapping[str, list[Leg]]) -> None:
        """Remove legs and routers that nobody told of, and the bridges that nothing is left in."""
        legs = {leg.near_name for those in wanted.values() for leg in those}
        with Links() as links:
            for name, alias in links.aliases(self._mark.router_alias_prefix).items():
                if name not in legs:
                    network_id = self._mark.network_of_cable(alias)
                    with self._hold(network_id):
                        links.remove(name)
                        wiring.remove_bridge(links, network_id)
        known = {self._mark.router_namespace(router_id) for router_id in wanted}
        for name in namespaces.names(self._mark.router_namespace_prefix):
            if name not in known:
                namespaces.remove(name)


@contextmanager
def _kept(errors: list[Exception], router_id: str) -> Iterator[None]:
    try:
        yield
    except (AgentError, NetlinkError, OSError) as exc:
        log.warning("router=%s cannot be had as it shall be: %s", router_id, exc)
        errors.append(exc)
