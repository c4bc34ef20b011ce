"""The document in the kernel: what is there is read, what differs is changed in one transaction, so no hole opens."""

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from compute_agent.errors import VifPlugFailed
from compute_agent.locks import FileLocks
from compute_agent.network import (
    closing,
    firewall,
    limits,
    nft,
    port_guards,
    security_groups,
    segments,
    tracking,
)
from compute_agent.network.document import DocumentFile, Kept, check, merged
from compute_agent.network.links import Links
from compute_agent.network.names import Mark, bridge_name, tap_name
from compute_agent.network.ports import PluggedPort, PortShelf
from compute_agent.network.rule_digests import Ruleset
from compute_agent.network.segments import Segments
from compute_agent.network.sightings import Sightings
from compute_agent.network.wiring import zone_of
from contracts.networks import GuardSpec, HostNetworks

log = logging.getLogger(__name__)

_LOCK_SECONDS = 60.0


class Guards:
    """What may pass the ports of this host. One at a time changes the rules, whichever process it is.

    Args:
        mark: of our installation.
        shelf: what is plugged.
        path: of the file that the document is kept in.
        locks: of the host's networks.
        segments: what carries the networks; it is brought to a document after the rules are.
    """

    def __init__(self, mark: Mark, shelf: PortShelf, path: Path, locks: FileLocks, segments: Segments) -> None:
        self._mark, self._shelf, self._locks, self._segments = mark, shelf, locks, segments
        self._file = DocumentFile(path)
        self._sightings = Sightings(mark)

    def kept(self) -> Kept:
        """Return the document that is kept."""
        return self._file.load()

    def apply(self, news: HostNetworks) -> None:
        """Keep the document, or the difference, and bring the kernel to it."""
        check(news)
        with self._alone():
            kept = self._file.load()
            if news.version < kept.document.version:
                return
            document = merged(kept.document, news)
            # Kept before it is done: who comes after a crash ends what was begun.
            self._file.save(Kept(document, applied=kept.applied))
            self._bring(kept.document if kept.applied == kept.document.version else None, document)

    def mend(self) -> None:
        """Put back what is missing in the kernel, and end what an apply that was cut off had begun."""
        with self._alone():
            kept = self._file.load()
            is_begun = kept.applied != kept.document.version
            self._bring(None if is_begun else kept.document, kept.document, is_whole=False)

    def carry(self, network_id: str) -> None:
        """Have the carrier of a network whose bridge has just been made."""
        with self._alone():
            self._segments.bring(self._file.load().document, [network_id])

    def _bring(self, old: HostNetworks | None, document: HostNetworks, *, is_whole: bool = True) -> None:
        """Have the kernel as the document says.

        `old`: what it was brought to before, if that is known; `is_whole`: nothing of that was lost since.
        """
        if self._sightings.has_work(document):  # before a port may send under any name
            self._sightings.follow(document)
        ports = self._plugged()
        zones = self._zones(port.spec.network.id for port in ports)
        commands = self._missing(document, ports, zones)
        if commands:
            nft.apply(commands)
        limits.bring(self._mark, document.limits, [port.spec.id for port in ports])
        closing.end_what_is_forbidden(old, document, ports, zones)
        self._segments.bring(document, segments.changed(old, document) if old and is_whole else None)

    def follow(self) -> None:
        """Have what is for ports without port security reach their guests under whatever names these use now."""
        if self._sightings.has_work(self._file.load().document):
            with self._alone():
                self._sightings.follow(self._file.load().document)

    def note_applied(self, version: int) -> None:
        """Note that the whole document of this version, which may be more than rules, is in the kernel."""
        with self._alone():
            kept = self._file.load()
            if kept.document.version == version != kept.applied:
                self._file.save(Kept(kept.document, applied=version))

    def routed(self, network_id: str) -> list[str]:
        """Return the gateways' addresses of a network that others hold: routers, or who is on its wire."""
        segment = self._file.load().document.networks.get(network_id)
        if segment is None:
            return []
        if not self._segments.leads_out(segment):
            return segment.routed
        known = [port.spec.network for port in self._shelf.on_network(network_id)]
        return sorted({subnet.gateway_ip for network in known for subnet in network.subnets} - {""})

    def wire(self, ports: list[PluggedPort]) -> None:
        """Have the rules of ports whose files are there, and of their network: one transaction, nothing read before."""
        with self._alone():
            document = self._file.load().document
            zones = self._zones(port.spec.network.id for port in ports)
            commands = firewall.host_rules(self._mark)
            for network_id, zone in zones.items():
                commands += tracking.zone_rules(self._mark, network_id, zone)
            for port in ports:
                commands += _port_commands(self._mark, document, port)
            try:
                nft.apply(commands)
            except VifPlugFailed:  # the groups' chains are not there: the host was started again
                nft.apply([*firewall.host_rules(self._mark), *self._missing(document, self._plugged(), zones)])

    def limit(self, ports: list[PluggedPort]) -> None:
        """Have the limits of ports whose taps were just made."""
        with self._alone():
            known = self._file.load().document.limits
            ids = [port.spec.id for port in ports if port.spec.id in known]
            if ids:
                with limits.Shaper(self._mark) as shaper:
                    shaper.limit(known, ids)

    def unwire(self, port: PluggedPort, *, is_last: bool) -> None:
        """Forget a port, whether or not it is known, and end its connections; with the last one, the network's zone."""
        table, tap = nft.Table("bridge", self._mark.table), tap_name(port.spec.id)
        commands = [table.add()]
        for name in port_guards.MAPS:
            chain = port_guards.chain_name(name, port.spec.id)
            # What lacks is added first, so that one transaction does for both.
            commands += [
                table.verdict_map(name), table.chain(chain), table.map_element("add", name, tap, chain),
                table.map_element("delete", name, tap, chain), table.flush(chain), table.delete_chain(chain),
            ]  # fmt: skip
        with self._alone():
            zones = self._zones([port.spec.network.id])
            nft.apply([*commands, *(tracking.without_zone(self._mark, port.spec.network.id) if is_last else ())])
            closing.end_all_of(port, self._file.load().document.guards.get(port.spec.id), zones, is_last=is_last)

    def is_guarded(self, ruleset: Ruleset, port: PluggedPort) -> bool:
        """Whether a port may send and hear what the document lets it, and nothing else, by the rules of our table."""
        if not ruleset.has(firewall.bridge_rules(self._mark)):
            return False
        document = self._file.load().document
        guard = document.guards.get(port.spec.id)
        if guard is not None and not _is_of(guard, port):
            return False
        groups = security_groups.chains(document)
        named = [name for id in (guard.group_ids if guard else ()) for name in security_groups.chain_names(id)]
        return all(ruleset.has_chain(name, groups[name]) for name in named if name in groups) and all(
            ruleset.has_chain(port_guards.chain_name(name, port.spec.id), rules)
            and tap_name(port.spec.id) in ruleset.jumps.get(name, {})
            for name, rules in port_guards.chains(document, port, self._mark).items()
        )

    def is_limited(self, port_id: str) -> bool:
        """Whether a port has the limits that the document says, and no others."""
        with limits.Shaper(self._mark) as shaper:
            return shaper.is_as_wanted(port_id, self._file.load().document.limits.get(port_id))

    def drop(self) -> None:
        """Forget the document."""
        self._file.drop()

    def _missing(self, document: HostNetworks, ports: list[PluggedPort], zones: dict[str, int]) -> list[nft.Command]:
        bridge = Ruleset(nft.listing("bridge", self._mark.table))
        inet = Ruleset(nft.listing("inet", self._mark.table))
        return [
            *([] if bridge.has(firewall.bridge_rules(self._mark)) else firewall.bridge_rules(self._mark)),
            *Difference(self._mark, bridge, document, ports).commands(),
            *([] if inet.has(tracking.host_rules(self._mark)) else tracking.host_rules(self._mark)),
            *self._zone_commands(inet, zones),
        ]

    def _zone_commands(self, inet: Ruleset, zones: dict[str, int]) -> Iterator[nft.Command]:
        for network_id, zone in zones.items():
            rules = tracking.zone_rules(self._mark, network_id, zone)
            if not inet.has(rules) or bridge_name(network_id) not in inet.jumps.get(tracking.ZONES, {}):
                yield from rules

    def _plugged(self) -> list[PluggedPort]:
        return [port for network_id in self._shelf.network_ids() for port in self._shelf.on_network(network_id)]

    def _zones(self, network_ids: Iterable[str]) -> dict[str, int]:
        """Return the zone of each network that is wired."""
        with Links() as links:
            found = {network_id: zone_of(links, network_id) for network_id in sorted(set(network_ids))}
        return {network_id: zone for network_id, zone in found.items() if zone}

    def _alone(self) -> AbstractContextManager[None]:
        return self._locks.hold("guards", _LOCK_SECONDS)


def _is_of(guard: GuardSpec, port: PluggedPort) -> bool:
    own = port.spec.mac_address, {*port.addresses(4), *port.addresses(6)}
    return own == (guard.mac_address, set(guard.addresses))


def _port_commands(mark: Mark, document: HostNetworks, port: PluggedPort) -> list[nft.Command]:
    commands, table = [], nft.Table("bridge", mark.table)
    for name, rules in port_guards.chains(document, port, mark).items():
        chain = port_guards.chain_name(name, port.spec.id)
        commands += [*table.fill(chain, rules), table.map_element("add", name, tap_name(port.spec.id), chain)]
    return commands


class Difference:
    """What lies between the kernel and the document, in the order in which nft takes it.

    Args:
        mark: of our installation, whose table of the bridge family it is about.
        there: what is in it.
        document: what shall be.
        ports: those that are plugged.
    """

    def __init__(self, mark: Mark, there: Ruleset, document: HostNetworks, ports: list[PluggedPort]) -> None:
        self._table, self._there, self._document = nft.Table("bridge", mark.table), there, document
        self._ports = [(port, port_guards.chains(document, port, mark)) for port in ports]
        self._sets = security_groups.sets(document)

    def commands(self) -> list[nft.Command]:
        """Return them; none if there is no difference."""
        return [
            *self._set_commands(), *self._group_commands(), *self._port_commands(), *self._stale_chains(),
            *self._stale_sets(),
        ]  # fmt: skip

    def _set_commands(self) -> Iterator[nft.Command]:
        for name, (version, wanted) in self._sets.items():
            there = self._there.sets.get(name)
            if there is None:
                yield self._table.address_set(name, version)
            if there and there - wanted:
                yield self._table.set_elements("delete", name, sorted(there - wanted))
            if wanted - (there or set()):
                yield self._table.set_elements("add", name, sorted(wanted - (there or set())))

    def _group_commands(self) -> Iterator[nft.Command]:
        for chain, rules in security_groups.chains(self._document).items():
            if not self._there.has_chain(chain, rules):
                yield from self._table.fill(chain, rules)

    def _port_commands(self) -> Iterator[nft.Command]:
        for port, chains in self._ports:
            tap = tap_name(port.spec.id)
            for name, rules in chains.items():
                if self._is_from_before(name, tap):
                    continue
                chain = port_guards.chain_name(name, port.spec.id)
                if not self._there.has_chain(chain, rules):
                    yield from self._table.fill(chain, rules)
                if self._there.jumps.get(name, {}).get(tap) != chain:
                    yield self._table.map_element("add", name, tap, chain)

    def _is_from_before(self, map_name: str, tap: str) -> bool:
        """Whether a port was plugged by an agent that knew no groups, and no document has come since: it stays open."""
        return (
            map_name != port_guards.SOURCES
            and self._document.version == 0
            and tap in self._there.jumps.get(port_guards.SOURCES, {})
            and tap not in self._there.jumps.get(map_name, {})
        )

    def _stale_chains(self) -> Iterator[nft.Command]:
        ids = {port.spec.id for port, _ in self._ports}
        groups = security_groups.chains(self._document)
        stale = [chain for chain in self._there.chains if self._is_stale(chain, ids, groups)]
        for name, jumps in self._there.jumps.items():
            yield from (
                self._table.map_element("delete", name, tap, chain) for tap, chain in jumps.items() if chain in stale
            )
        yield from (self._table.flush(chain) for chain in stale)
        yield from (self._table.delete_chain(chain) for chain in stale)

    @staticmethod
    def _is_stale(chain: str, port_ids: Collection[str], groups: Collection[str]) -> bool:
        if security_groups.is_chain(chain):
            return chain not in groups
        port_id = port_guards.port_of_chain(chain)
        return bool(port_id) and port_id not in port_ids

    def _stale_sets(self) -> Iterator[nft.Command]:
        for name in self._there.sets:
            if name not in self._sets:
                yield self._table.delete_set(name)
