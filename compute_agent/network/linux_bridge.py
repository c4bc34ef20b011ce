"""The network of a real host: Linux bridges, taps, dnsmasq, nftables and a namespace for each network."""

import errno
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from pyroute2.netlink.exceptions import NetlinkError

from compute_agent.errors import AgentError, HostDiskFull, VifPlugFailed
from compute_agent.files import is_full
from compute_agent.locks import FileLocks
from compute_agent.network import firewall, namespaces, wiring
from compute_agent.network.dhcp import Dnsmasq
from compute_agent.network.document import Kept
from compute_agent.network.floating_file import FloatingFile
from compute_agent.network.guards import Guards
from compute_agent.network.inspection import Parts, View
from compute_agent.network.kernel_types import kernel_types
from compute_agent.network.links import Links, write_setting
from compute_agent.network.metadata_files import MetadataFiles
from compute_agent.network.names import FLOATING_FILE, Mark, limiter_name, tap_name
from compute_agent.network.ports import PluggedPort, PortShelf, as_told, check, merged_network
from compute_agent.network.routers.routing import Routers
from compute_agent.network.segments import Segments
from compute_agent.network.telling import Telling
from compute_agent.network.underlay import NO_UNDERLAY, VXLAN, Underlay
from contracts.compute import NetworkSpec, PortSpec
from contracts.inspection import PortAsked, PortSeen
from contracts.networks import AdvertSpec, HostNetworks, SegmentSpec

log = logging.getLogger(__name__)

_LOCK_SECONDS = 60.0


class LinuxBridgeNetwork:
    """See NetworkDriver.

    A network's things exist while a port of it is plugged here. Everything can be made anew from the port files,
    and is: `plug` of what is there already looks and changes nothing.
    """

    def __init__(self, state_dir: Path, underlay: Underlay = NO_UNDERLAY) -> None:
        self._mark, self._underlay = Mark.of(state_dir), underlay
        self._shelf = PortShelf(state_dir / "network")
        self._metadata = MetadataFiles(state_dir / "metadata")
        self._telling = Telling(state_dir, self._mark)
        self._floating = FloatingFile(state_dir / FLOATING_FILE)
        self._locks = FileLocks(state_dir / "locks" / "networks")
        self._segments = Segments(self._mark, underlay)
        self._guards = Guards(self._mark, self._shelf, state_dir / "networks.json", self._locks, self._segments)
        self._routers = Routers(self._mark, self._locks, self._network, self._guards.carry, underlay.wires)

    def plug(self, instance_uuid: str, ports: list[PortSpec], metadata: dict[str, object], user_data: str) -> None:
        """See NetworkDriver."""
        checked = [check(instance_uuid, port) for port in ports]
        for port in checked:
            with self._network(port.spec.network.id), _kernel_errors():
                told = as_told(port, self._document())
                self._shelf.put(told)
                self._wire(told.spec.network.id, [told])
                self._metadata.write(told, checked, metadata, user_data)

    def unplug(self, instance_uuid: str, keep: Collection[str] = ()) -> None:
        """See NetworkDriver."""
        for port in self._shelf.of_instance(instance_uuid):
            if port.spec.id in keep:
                continue
            with self._network(port.spec.network.id), _kernel_errors():
                self._unwire(port)
        with Links() as links:
            for tap, (port_id, owner) in self._taps(links).items():
                if owner == instance_uuid and port_id not in keep:  # its file was lost
                    links.remove(tap)

    def tap_name(self, port_id: str) -> str:
        """See NetworkDriver."""
        return tap_name(port_id)

    def plugged_ports(self) -> dict[str, str]:
        """See NetworkDriver."""
        with Links() as links:
            return dict(self._taps(links).values())

    def leases(self) -> set[str]:
        """See NetworkDriver."""
        return {port for network_id in self._shelf.network_ids() for port in self._dhcp(network_id).reservations()}

    def metadata_ports(self) -> set[str]:
        """See NetworkDriver."""
        return self._metadata.port_ids()

    def inspect_ports(self, instance_uuid: str, asked: Sequence[PortAsked]) -> list[PortSeen]:
        """See NetworkDriver."""
        with _kernel_errors():
            plugged = {port.spec.id: port for port in self._shelf.of_instance(instance_uuid)}
            with Links() as links:
                owners = self._taps(links).values()
                strays = sorted({*plugged, *(port for port, owner in owners if owner == instance_uuid)})
                parts = Parts(self._mark, self._shelf, self._guards, self._segments, self._telling)
                view = View(parts, self._metadata.addresses(), links)
                wanted = {one.id: one for one in asked}
                known = [*asked, *(_as_plugged(id, plugged.get(id)) for id in strays if id not in wanted)]
                return [view.port(one) for one in known]

    def syncing(self, wait_seconds: float) -> AbstractContextManager[None]:
        """See NetworkDriver."""
        return self._locks.hold("document", wait_seconds)

    def apply(self, document: HostNetworks) -> None:
        """See NetworkDriver."""
        with _kernel_errors():
            before = self._guards.kept()
            self._guards.apply(document)
            now = self._guards.kept().document
            for network_id in self._shelf.network_ids():
                if _gateways_moved(before, now, network_id) or self._outdated(network_id):
                    with self._network(network_id):
                        self._follow(network_id)
                        self._rewire(network_id)
            self._floating.ensure(now)
            self._guards.note_applied(self._routers.bring(self._document))

    def follow_guests(self) -> None:
        """See NetworkDriver."""
        with _kernel_errors():
            self._guards.follow()

    def applied_version(self) -> int:
        """See NetworkDriver."""
        return self._guards.kept().applied

    def known(self) -> dict[str, dict[str, str]]:
        """See NetworkDriver."""
        return self._guards.kept().known()

    def underlay(self) -> Underlay:
        """See NetworkDriver."""
        types = [one for one in kernel_types() if one != VXLAN or self._underlay.tunnel_ip]
        return replace(self._underlay, network_types=tuple(types))

    def restore(self) -> None:
        """See NetworkDriver."""
        for network_id in self._shelf.network_ids():
            try:
                with self._network(network_id), _kernel_errors():
                    self._mend(network_id)
            except AgentError as exc:
                log.warning("network=%s cannot be restored: %s", network_id, exc)  # the next one may
        with _kernel_errors():
            self._guards.mend()
            self._floating.ensure(self._document())
            self._guards.note_applied(self._routers.bring(self._document))

    def close(self) -> None:
        """See NetworkDriver."""

    def purge(self) -> None:
        """See NetworkDriver."""
        for network_id in self._shelf.network_ids():
            self._dhcp(network_id).stop()
            rmtree(self._shelf.folder(network_id), ignore_errors=True)
        with Links() as links:
            for name in links.aliases(self._mark.alias_prefix):
                links.remove(name)
        for prefix in (self._mark.namespace_prefix, self._mark.router_namespace_prefix):
            for name in namespaces.names(prefix):
                namespaces.remove(name)
        firewall.remove_tables(self._mark)
        self._guards.drop()
        self._metadata.clear()
        self._telling.clear()
        self._floating.drop()

    def _document(self) -> HostNetworks:
        return self._guards.kept().document

    def _outdated(self, network_id: str) -> list[PluggedPort]:
        """Return ports of a network that the document describes otherwise than their files, as it describes them."""
        document = self._document()
        ports = [(port, as_told(port, document)) for port in self._shelf.on_network(network_id)]
        return [told for port, told in ports if told != port]

    def _follow(self, network_id: str) -> None:
        """Have the files of a network's ports, and what its guests are told of themselves, as the document says."""
        for port in self._outdated(network_id):
            # Last: it is by the port's file that somebody who comes after a crash sees what was left undone.
            self._metadata.readdress(port, self._of_instance(port))
            self._shelf.put(port)

    def _of_instance(self, port: PluggedPort) -> list[PluggedPort]:
        others = [one for one in self._shelf.of_instance(port.instance_uuid) if one.spec.id != port.spec.id]
        return [*others, port]

    def _rewire(self, network_id: str) -> None:
        ports = self._shelf.on_network(network_id)
        if ports:
            self._wire(network_id, ports)

    def _mend(self, network_id: str) -> None:
        """Wire the network anew if any part of it is missing; looking costs little, so it is done often."""
        self._follow(network_id)
        ports = self._shelf.on_network(network_id)
        if not ports:
            return
        with Links() as links:
            present = links.aliases(self._mark.alias_prefix)
        wanted = {*wiring.link_names(network_id), *(tap_name(port.spec.id) for port in ports)}
        is_whole = (
            wanted <= present.keys()
            and namespaces.exists(self._mark.namespace(network_id))
            and wiring.is_furnished(self._mark, merged_network(ports), self._place(merged_network(ports)))
        )
        is_told = self._telling.is_whole(network_id, self._segment(network_id), ports)
        if not (is_whole and is_told and self._dhcp(network_id).is_whole(merged_network(ports), ports)):
            log.warning("network=%s had lost a part and is made whole", network_id)
            self._wire(network_id, ports)

    def _wire(self, network_id: str, ports: list[PluggedPort]) -> None:
        """Have the network and these ports of it in the kernel, and DHCP for all of its ports."""
        everyone = self._shelf.on_network(network_id)
        network = merged_network(everyone)
        write_setting("net/ipv4/ip_forward", "1")
        with Links() as links:
            bridge = wiring.ensure_network(links, self._mark, network, self._place(network))
            self._guards.wire(ports)  # before there are taps, so that none is ever without its rules
            for port in ports:
                alias = self._mark.port_alias(port.spec.id, port.instance_uuid)
                links.ensure_tap(tap_name(port.spec.id), bridge, network.mtu, alias)
        self._guards.limit(ports)
        self._guards.carry(network_id)
        self._dhcp(network_id).ensure(network, everyone)
        self._telling.ensure(network_id, self._segment(network_id), everyone)

    def _place(self, network: NetworkSpec) -> wiring.Place:
        segment = self._segment(network.id)
        has_ipv6 = wiring.can_speak_ipv6(network, [*segment.adverts, *segment.leased] if segment else ())
        return wiring.Place(self._guards.routed(network.id), has_ipv6)

    def _segment(self, network_id: str) -> SegmentSpec | None:
        return self._document().networks.get(network_id)

    def _unwire(self, port: PluggedPort) -> None:
        """Remove a port, and its network with the last one. The file goes last, so that a repetition finds the rest."""
        network_id = port.spec.network.id
        others = [other for other in self._shelf.on_network(network_id) if other.spec.id != port.spec.id]
        with Links() as links:
            links.remove(tap_name(port.spec.id))
            links.remove(limiter_name(port.spec.id))
            self._guards.unwire(port, is_last=not others)
            self._metadata.drop(port)
            if others:
                self._dhcp(network_id).ensure(merged_network(others), others)
                self._telling.ensure(network_id, self._segment(network_id), others)
            else:
                self._telling.drop(network_id)
                self._dhcp(network_id).stop()  # before its namespace, which would live on with it
                wiring.remove_network(links, self._mark, network_id)
        self._shelf.drop(port)
        if not others:
            rmtree(self._shelf.folder(network_id), ignore_errors=True)

    def _taps(self, links: Links) -> dict[str, tuple[str, str]]:
        """Return {tap: (port id, instance uuid)}, as the kernel has it."""
        read = {
            name: self._mark.read_port_alias(alias) for name, alias in links.aliases(self._mark.alias_prefix).items()
        }
        return {name: owner for name, owner in read.items() if owner is not None}

    def _dhcp(self, network_id: str) -> Dnsmasq:
        namespace = self._mark.namespace(network_id)
        return Dnsmasq(self._shelf.folder(network_id), namespace, self._guards.routed(network_id))

    def _network(self, network_id: str) -> AbstractContextManager[None]:
        return self._locks.hold(network_id, _LOCK_SECONDS)


def _as_plugged(port_id: str, port: PluggedPort | None) -> PortAsked:
    """Return a port that nobody asked for, as its file describes it."""
    if port is None:
        return PortAsked(id=port_id, mac_address="", network_id="")
    addresses = [fixed.ip_address for fixed in port.spec.fixed_ips]
    return PortAsked(
        id=port_id, mac_address=port.spec.mac_address, network_id=port.spec.network.id, addresses=addresses
    )


def _gateways_moved(before: Kept, now: HostNetworks, network_id: str) -> bool:
    """Whether others hold other gateways of a network than the kernel was brought to, or it is advertised otherwise."""
    if before.applied != before.document.version:
        return True
    old, new = (document.networks.get(network_id) for document in (before.document, now))
    return _outside(old) != _outside(new)


def _outside(segment: SegmentSpec | None) -> tuple[list[str], str, list[AdvertSpec], list[AdvertSpec]]:
    return (segment.routed, segment.physical_network, segment.adverts, segment.leased) if segment else ([], "", [], [])


@contextmanager
def _kernel_errors() -> Iterator[None]:
    """Turn what netlink or the kernel refuse into VifPlugFailed."""
    try:
        yield
    except (NetlinkError, OSError) as exc:
        if isinstance(exc, OSError) and is_full(exc):
            raise HostDiskFull(f"no space left for the network's files: {exc}") from exc
        code = getattr(exc, "code", None) or getattr(exc, "errno", None)
        raise VifPlugFailed(f"{errno.errorcode.get(code or 0, type(exc).__name__)}: {exc}") from exc
