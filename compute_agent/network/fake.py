"""A complete network in memory: every promise of NetworkDriver kept, without a kernel.

With a folder it keeps one small file per instance, so that taps outlive a killed agent as real ones do.
"""

import hashlib
import ipaddress
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from compute_agent.drivers.fault_plan import FaultPlan
from compute_agent.errors import VifPlugFailed
from compute_agent.files import replace_file
from compute_agent.locks import InstanceLocks, MemoryLocks
from compute_agent.network.adverts.frames import STATEFUL
from compute_agent.network.document import DocumentFile, Kept, check, merged
from compute_agent.network.forwarding import link_local
from compute_agent.network.judgement import Opening, is_allowed
from compute_agent.network.names import tap_name
from compute_agent.network.routers.passage import Passage, passage
from compute_agent.network.underlay import FLAT, NO_UNDERLAY, VLAN, VXLAN, Underlay
from contracts.compute import PortSpec
from contracts.inspection import PortAsked, PortSeen
from contracts.networks import HostNetworks, NeighboursSpec, SubnetSpec


class FakePort(msgspec.Struct, frozen=True):
    """What is there of a port: its parts, its MAC address, and its addresses in reservations and metadata."""

    mac_address: str = ""
    addresses: tuple[str, ...] = ()
    has_tap: bool = True
    is_filtered: bool = True
    is_carried: bool = True
    is_limited: bool = True
    is_served: bool = True
    leased: tuple[str, ...] = ()
    leased_ipv6: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    network_id: str = ""


_NOWHERE = ipaddress.IPv6Network("2001:db8:fa4e::/64")  # of the addresses that documentation uses
Ports = dict[str, FakePort]  # by port id
# What of a port may be lost, and how it is without it.
_LOSSES: dict[str, dict[str, object]] = {
    "tap": {"has_tap": False}, "rules": {"is_filtered": False}, "carrier": {"is_carried": False},
    "server": {"is_served": False}, "lease": {"leased": ()}, "metadata": {"answered": ()},
    "limit": {"is_limited": False}, "lease_ipv6": {"leased_ipv6": ()},
}  # fmt: skip


class FakeNetwork:
    """See NetworkDriver.

    Args:
        folder: where the plugged ports are kept; None forgets them with the process.
        faults: what goes wrong, by the verbs `plug`, `unplug` and `apply`.
        underlay: what it says that it can carry networks by.

    Attributes:
        locks: of what only one at a time may do.
    """

    def __init__(
        self, folder: Path | None = None, faults: FaultPlan | None = None, underlay: Underlay = NO_UNDERLAY
    ) -> None:
        self._underlay = underlay
        self._lock = threading.Lock()
        self._folder = folder
        self._faults = faults or FaultPlan()
        self.locks: InstanceLocks = MemoryLocks()
        self._document = DocumentFile(folder / "networks.document" if folder else None)
        self._instances: dict[str, Ports] = {}
        self._seen: dict[tuple[str, str], str] = {}
        self._followed: dict[tuple[str, str], str] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("*.json"):
                self._instances[path.stem] = msgspec.json.decode(path.read_bytes(), type=Ports)

    def plug(self, instance_uuid: str, ports: list[PortSpec], metadata: dict[str, object], user_data: str) -> None:
        """See NetworkDriver."""
        self._faults.strike("plug", instance_uuid, VifPlugFailed)
        if not ports:
            return
        with self._lock:
            plugged, document = self._instances.setdefault(instance_uuid, {}), self._document.load().document
            plugged.update({port.id: _as_told(port.id, _whole(port), document) for port in ports})
            self._keep(instance_uuid)

    def lose(self, instance_uuid: str, port_id: str, part: str) -> None:
        """Let a part of a port vanish as if somebody had removed it: a name of the table of losses."""
        with self._lock:
            ports = self._instances[instance_uuid]
            ports[port_id] = msgspec.structs.replace(ports[port_id], **_LOSSES[part])
            self._keep(instance_uuid)

    def _keep(self, instance_uuid: str) -> None:
        if self._folder is not None:
            content = msgspec.json.encode(self._instances[instance_uuid])
            replace_file(self._folder / f"{instance_uuid}.json", content)

    def unplug(self, instance_uuid: str, keep: Collection[str] = ()) -> None:
        """See NetworkDriver."""
        self._faults.strike("unplug", instance_uuid, VifPlugFailed)
        with self._lock:
            there = self._instances.pop(instance_uuid, {})
            kept = {port_id: port for port_id, port in there.items() if port_id in keep}
            if kept:
                self._instances[instance_uuid] = kept
                self._keep(instance_uuid)
            elif self._folder is not None:
                (self._folder / f"{instance_uuid}.json").unlink(missing_ok=True)

    def tap_name(self, port_id: str) -> str:
        """See NetworkDriver."""
        return tap_name(port_id)

    def plugged_ports(self) -> dict[str, str]:
        """See NetworkDriver."""
        return {port_id: uuid for uuid, port_id, port in self._all() if port.has_tap}

    def leases(self) -> set[str]:
        """See NetworkDriver."""
        return {port_id for _, port_id, port in self._all() if port.leased}

    def metadata_ports(self) -> set[str]:
        """See NetworkDriver."""
        return {port_id for _, port_id, port in self._all() if port.answered}

    def inspect_ports(self, instance_uuid: str, asked: Sequence[PortAsked]) -> list[PortSeen]:
        """See NetworkDriver. A fake guest holds every tap that is there."""
        with self._lock:
            there = dict(self._instances.get(instance_uuid, {}))
        wanted = {one.id: one for one in asked}
        strays = sorted(port_id for port_id, port in there.items() if port_id not in wanted and port.has_tap)
        return [_seen(port_id, there.get(port_id), wanted.get(port_id)) for port_id in (*wanted, *strays)]

    def syncing(self, wait_seconds: float) -> AbstractContextManager[None]:
        """See NetworkDriver."""
        return self.locks.hold("document", wait_seconds)

    def apply(self, document: HostNetworks) -> None:
        """See NetworkDriver."""
        check(document)
        self._faults.strike("apply", "", VifPlugFailed)
        with self._lock:
            old = self._document.load().document
            if document.version >= old.version:
                now = merged(old, document)
                self._follow(now)
                self._document.save(Kept(now, document.version))

    def _follow(self, document: HostNetworks) -> None:
        for instance_uuid, ports in self._instances.items():
            told = {port_id: _as_told(port_id, port, document) for port_id, port in ports.items()}
            if told != ports:
                self._instances[instance_uuid] = told
                self._keep(instance_uuid)

    def follow_guests(self) -> None:
        """See NetworkDriver."""
        if not self._seen:
            return
        with self._lock:
            guards = self._document.load().document.guards
            self._followed = {
                (id, address): mac for (id, address), mac in self._seen.items()
                if id in guards and not guards[id].is_secured and address in guards[id].addresses
            }  # fmt: skip

    def send(self, port_id: str, address: str, mac_address: str) -> None:
        """Let a port's guest send from an address under a MAC address, if its rules let it."""
        with self._lock:
            guard = self._document.load().document.guards.get(port_id)
            if guard is not None and not guard.is_secured:
                self._seen[port_id, address] = mac_address

    def delivered_as(self, port_id: str, address: str) -> str:
        """Return under which MAC address the guest is given what comes to one of its port's addresses."""
        with self._lock:
            guard = self._document.load().document.guards[port_id]
            return self._followed.get((port_id, address), guard.mac_address)

    def applied_version(self) -> int:
        """See NetworkDriver."""
        with self._lock:
            return self._document.load().applied

    def known(self) -> dict[str, dict[str, str]]:
        """See NetworkDriver."""
        with self._lock:
            return self._document.load().known()

    def underlay(self) -> Underlay:
        """See NetworkDriver."""
        return self._underlay

    def neighbours(self, network_id: str) -> dict[str, str]:
        """Return {address: tunnel's other end} of whom the ports of a network reach on other hosts."""
        with self._lock:
            document = self._document.load().document
        entry = document.neighbours.get(network_id, NeighboursSpec())
        ports = entry.ports if self._underlay.tunnel_ip else []
        return {address: port.tunnel_ip for port in ports for address in port.addresses}

    def is_allowed(self, port_id: str, opening: Opening) -> bool:
        """Whether a new connection would pass a port. One that is not plugged lets nothing pass."""
        if port_id not in self.plugged_ports():
            return False
        with self._lock:
            document = self._document.load().document
        return is_allowed(document, document.guards.get(port_id), opening)

    def routed(self, network_id: str, source: str, destination: str) -> Passage | None:
        """Return how a packet goes on that a router of this host is sent from a network; None where none lets it."""
        with self._lock:
            document = self._document.load().document
        return passage(document, network_id, source, destination)

    def _all(self) -> list[tuple[str, str, FakePort]]:
        with self._lock:
            return [(uuid, port_id, one) for uuid, ports in self._instances.items() for port_id, one in ports.items()]

    def restore(self) -> None:
        """See NetworkDriver."""

    def close(self) -> None:
        """See NetworkDriver."""

    def purge(self) -> None:
        """See NetworkDriver."""
        for instance_uuid in list(self._instances):
            self.unplug(instance_uuid)
        self._document.drop()


def fake_underlay(host: str, wires: Mapping[str, str] | None = None) -> Underlay:
    """Return what a fake host says that it can carry networks by: everything, over a tunnel that ends nowhere."""
    number = int.from_bytes(hashlib.sha256(host.encode()).digest()[:8])
    return Underlay(str(_NOWHERE[number]), wires or {}, (FLAT, VLAN, VXLAN))


def _whole(port: PortSpec) -> FakePort:
    addresses = [fixed.ip_address for fixed in port.fixed_ips]
    return _addressed(FakePort(port.mac_address, network_id=port.network.id), addresses, port.network.subnets)


def _as_told(port_id: str, port: FakePort, document: HostNetworks) -> FakePort:
    """Return a port with the addresses that the document gives it."""
    guard, segment = document.guards.get(port_id), document.networks.get(port.network_id)
    if guard is None or set(guard.addresses) == set(port.addresses):
        return port
    return _addressed(port, guard.addresses, segment.subnets if segment else ())


def _addressed(port: FakePort, addresses: Sequence[str], subnets: Iterable[SubnetSpec]) -> FakePort:
    """Return a port that is told, and known by, these addresses."""
    stateful = [ipaddress.IPv6Network(one.cidr) for one in subnets if one.ipv6_address_mode == STATEFUL]
    ipv6 = tuple(one for one in addresses if ":" in one)
    return msgspec.structs.replace(
        port,
        addresses=tuple(addresses),
        leased=tuple(one for one in addresses if ":" not in one),
        leased_ipv6=tuple(one for one in ipv6 if any(ipaddress.IPv6Address(one) in block for block in stateful)),
        answered=(*addresses, *([link_local(port.mac_address)] if ipv6 else ())),
    )


def _seen(port_id: str, there: FakePort | None, asked: PortAsked | None) -> PortSeen:
    if there is None:
        return PortSeen(id=port_id)
    is_right = asked is None or (asked.mac_address, set(asked.addresses)) == (there.mac_address, set(there.addresses))
    return PortSeen(
        id=port_id,
        has_tap=there.has_tap,
        is_held=there.has_tap,
        is_filtered=there.is_filtered and is_right,
        is_carried=there.is_carried,
        is_limited=there.is_limited,
        is_served=there.is_served,
        leased=list(there.leased) if is_right else [],
        leased_ipv6=list(there.leased_ipv6) if is_right else [],
        answered=list(there.answered),
    )
