"""Which connections must end: those that the rules do not let begin any more, and those of an address that is gone."""

import ipaddress
import logging
from collections.abc import Iterable, Mapping

from compute_agent.network import connections
from compute_agent.network.connections import Connection
from compute_agent.network.judgement import EGRESS, INGRESS, Opening, is_allowed
from compute_agent.network.port_guards import identities
from compute_agent.network.ports import PluggedPort
from contracts.networks import GuardSpec, HostNetworks

log = logging.getLogger(__name__)


class _Owners:
    """Whose an address is: ports by their addresses, and by the networks that they may send from."""

    def __init__(self, document: HostNetworks, ports: Iterable[PluggedPort]) -> None:
        self._exact: dict[str, list[PluggedPort]] = {}
        self._wide: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, PluggedPort]] = []
        for port in ports:
            for address in _addresses(port, document.guards.get(port.spec.id)):
                network = ipaddress.ip_network(address, strict=False)
                if network.prefixlen == network.max_prefixlen:
                    self._exact.setdefault(str(network.network_address), []).append(port)
                else:
                    self._wide.append((network, port))

    def of(self, address: str) -> list[PluggedPort]:
        """Return the ports that an address belongs to."""
        if address in self._exact or not self._wide:
            return self._exact.get(address, [])
        return [port for network, port in self._wide if ipaddress.ip_address(address) in network]


def end_what_is_forbidden(
    old: HostNetworks | None, document: HostNetworks, ports: list[PluggedPort], zones: Mapping[str, int]
) -> None:
    """End the connections that a change of the document forbids. Without `old` all are judged."""
    changed = {port.spec.id for port in ports if old is None or _is_changed(old, document, port.spec.id)}
    for network_id, zone in zones.items():
        mine = [port for port in ports if port.spec.network.id == network_id]
        touched = [port for port in mine if port.spec.id in changed]
        if not touched or not document.version:
            continue
        owners, everyone = _Owners(document, touched), _Owners(document, mine)
        gone = {
            address for port in touched
            for address in _addresses(port, old.guards.get(port.spec.id) if old else None)
            if not everyone.of(address.partition("/")[0])
        }  # fmt: skip
        count = connections.end(
            [zone],
            lambda one, owners=owners, gone=gone: (  # type: ignore[misc]
                bool({one.source, one.destination} & gone) or _is_forbidden(document, owners, one)
            ),
        )
        if count:
            log.info("network=%s: %d connections ended that are not allowed any more", network_id, count)


def end_all_of(port: PluggedPort, guard: GuardSpec | None, zones: Mapping[str, int], *, is_last: bool) -> None:
    """End a port's connections; with the last port of a network all of it, for its zone will be another's."""
    addresses = set(_addresses(port, guard))
    connections.end(zones.values(), lambda one: is_last or bool({one.source, one.destination} & addresses))


def _addresses(port: PluggedPort, guard: GuardSpec | None) -> list[str]:
    return [address for addresses in identities(port, guard).values() for address in addresses]


def _is_changed(old: HostNetworks, document: HostNetworks, port_id: str) -> bool:
    guard = document.guards.get(port_id)
    if guard != old.guards.get(port_id):
        return True
    return any(_is_group_changed(old, document, id) for id in (guard.group_ids if guard else ()))


def _is_group_changed(old: HostNetworks, document: HostNetworks, group_id: str) -> bool:
    group = document.groups.get(group_id)
    if group != old.groups.get(group_id):
        return True
    named = {rule.remote_group_id for rule in group.rules if rule.remote_group_id} if group else ()
    return any(old.members.get(id) != document.members.get(id) for id in named)


def _is_forbidden(document: HostNetworks, owners: _Owners, one: Connection) -> bool:
    sent = Opening(EGRESS, one.protocol, one.port, one.destination, one.code)
    heard = Opening(INGRESS, one.protocol, one.port, one.source, one.code)
    return any(
        not is_allowed(document, document.guards.get(port.spec.id), opening)
        for address, opening in ((one.source, sent), (one.destination, heard))
        for port in owners.of(address)
    )
