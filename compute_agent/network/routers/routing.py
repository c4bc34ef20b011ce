"""All routers of this host: those that are told are there, and no others."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyroute2.netlink.exceptions import NetlinkError

from compute_agent.errors import AgentError
from compute_agent.locks import FileLocks
from compute_agent.network import namespaces
from compute_agent.network.links import Links
from compute_agent.network.names import Mark, bridge_name
from compute_agent.network.routers.furnishing import HoldNetwork, ensure_router
from compute_agent.network.routers.legs import Leg, legs_of
from contracts.networks import HostNetworks

log = logging.getLogger(__name__)

_LOCK_SECONDS = 60.0


class Routers:
    """The routers in the kernel.

    Args:
        mark: of our installation.
        locks: of the host's networks. hold: takes the lock of one of them.
    """

    def __init__(self, mark: Mark, locks: FileLocks, hold: HoldNetwork) -> None:
        self._mark, self._locks, self._hold = mark, locks, hold

    def bring(self, document: HostNetworks) -> None:
        """Have the kernel as the document says. One router that cannot be had keeps no other from it.

        Raises:
            VifPlugFailed: the first refusal of the kernel.
        """
        wanted = {id: legs_of(spec, document.networks) for id, spec in document.routers.items() if spec.is_up}
        with self._locks.hold("routers", _LOCK_SECONDS):
            self._remove_stale(wanted)
            errors: list[Exception] = []
            for router_id, legs in wanted.items():
                with _kept(errors, router_id):
                    ensure_router(self._mark, router_id, document.routers[router_id], legs, self._hold)
        if errors:
            raise errors[0]

    def _remove_stale(self, wanted: Mapping[str, list[Leg]]) -> None:
        """Remove legs and routers that nobody told of, and the bridges that nothing is left in."""
        legs = {leg.near_name for those in wanted.values() for leg in those}
        with Links() as links:
            for name, alias in links.aliases(self._mark.router_alias_prefix).items():
                if name not in legs:
                    network_id = self._mark.network_of_cable(alias)
                    with self._hold(network_id):
                        links.remove(name)
                        links.remove_if_empty(bridge_name(network_id))
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
