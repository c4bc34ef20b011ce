"""What carries networks to other hosts: a link in the bridge of each network that the document names and that is here.

A VXLAN network has a tunnel of its own, a VLAN network a tagged interface on its wire, a flat one the wire itself. What
the kernel has is read, and only what differs is changed, so that what runs is never interrupted.
"""

import errno
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyroute2.netlink.exceptions import NetlinkError

from compute_agent.errors import VifPlugFailed
from compute_agent.network.firewall import TUNNEL_PORT
from compute_agent.network.forwarding import Entry, Forwarding, entries
from compute_agent.network.links import Links
from compute_agent.network.names import CARRIERS, Mark, bridge_name, tunnel_name, vlan_name
from compute_agent.network.underlay import FLAT, GENEVE, VLAN, VXLAN, Underlay
from contracts.networks import HostNetworks, NeighboursSpec, SegmentSpec
from contracts.physical_networks import HOST

log = logging.getLogger(__name__)

_UP = 1


@dataclass(frozen=True)
class Carrier:
    """A link as it shall be.

    Attributes:
        name: of the link. mtu: in bytes.
        is_ours: made by us, so it goes with its network; a wire of the host's only leaves the bridge.
        kind: how it is made, in netlink's words.
        facts: what the kernel must say of it, by the names of its attributes.
    """

    name: str
    mtu: int
    is_ours: bool = True
    kind: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def is_like(self, link: Any) -> bool:
        """Whether a link of this name need not be made anew."""
        return all(_fact(link, name) == value for name, value in self.facts.items())


class Segments:
    """The carriers of this host's networks.

    Args:
        mark: of our installation.
        underlay: the ways out of the host.
    """

    def __init__(self, mark: Mark, underlay: Underlay) -> None:
        self._mark, self._underlay = mark, underlay

    def bring(self, document: HostNetworks, only: Collection[str] | None = None) -> None:
        """Have the carriers that the document wants, of all networks or `only` of these.

        Raises:
            VifPlugFailed: some cannot be had; the others were brought.
        """
        problems = []
        with Links() as links:
            for network_id in sorted(self._here(links, document) if only is None else only):
                try:
                    self._bring_one(links, document, network_id)
                except NetlinkError as exc:
                    if links.find(bridge_name(network_id)) is not None:  # else it went meanwhile
                        problems.append(f"network {network_id}: {exc}")
                except VifPlugFailed as exc:
                    problems.append(f"network {network_id}: {exc}")
        if problems:
            raise VifPlugFailed("; ".join(problems))

    def leads_out(self, segment: SegmentSpec) -> bool:
        """Whether a network is on a wire of this host's, where others are beside the cloud."""
        return self._underlay.wires.get(segment.physical_network, HOST) != HOST

    def is_whole(self, document: HostNetworks, network_id: str) -> bool:
        """Whether a network is carried as the document wants; one that is carried nowhere is."""
        with Links() as links:
            bridge = links.find(bridge_name(network_id))
            try:
                carrier = self._wanted(links, document, network_id)
            except VifPlugFailed:
                return False
            there = {name for name in _names(network_id) if links.find(name)}
            if carrier is None or bridge is None:
                return not there
            link = links.find(carrier.name)
            if link is None or not carrier.is_like(link) or there - {carrier.name}:
                return False
            if link.get_attr("IFLA_MASTER") != bridge["index"] or not link["flags"] & _UP:
                return False
            wanted = self._entries(document, network_id, carrier)
            if wanted is None:
                return True
            with Forwarding() as forwarding:
                return forwarding.read(link["index"]) == wanted

    def _here(self, links: Links, document: HostNetworks) -> set[str]:
        """Return the networks that have a bridge or a carrier here."""
        prefix = self._mark.network_alias("")
        kinds = (bridge_name(""), *CARRIERS)
        there = {
            alias.removeprefix(prefix)
            for name, alias in links.aliases(prefix).items() if name.startswith(kinds)
        }  # fmt: skip
        return there | {id for id in document.networks if links.find(bridge_name(id)) is not None}

    def _bring_one(self, links: Links, document: HostNetworks, network_id: str) -> None:
        bridge = links.find(bridge_name(network_id))
        carrier = None if bridge is None else self._wanted(links, document, network_id)
        for name in _names(network_id):
            link = links.find(name)
            if link is not None and not (carrier and name == carrier.name and carrier.is_like(link)):
                links.remove(name)
        if bridge is None:
            return
        if self._underlay.wires:
            self._release(links, bridge["index"], carrier)
        if carrier is None:
            return
        index = self._ensure(links, network_id, carrier, bridge["index"])
        wanted = self._entries(document, network_id, carrier)
        if wanted is not None:
            with Forwarding() as forwarding:
                forwarding.seal(index)
                forwarding.ensure(index, wanted)

    def _ensure(self, links: Links, network_id: str, carrier: Carrier, bridge: int) -> int:
        if not carrier.is_ours:
            index = links.raise_up(carrier.name)
            links.join_if_elsewhere(carrier.name, bridge)
            return index
        alias = self._mark.network_alias(network_id)
        try:
            return links.ensure_carrier(carrier.name, bridge, carrier.mtu, alias, **carrier.kind)
        except NetlinkError as exc:
            if exc.code == errno.EOPNOTSUPP:
                raise VifPlugFailed(_LACKING.format(kind=carrier.kind["kind"])) from exc
            raise VifPlugFailed(f"{carrier.name} cannot be made: {exc}") from exc

    def _release(self, links: Links, bridge: int, carrier: Carrier | None) -> None:
        """Let wires go that are in the bridge no longer, as after another one was named in the settings."""
        keep = carrier.name if carrier else ""
        for name, alias in links.ports_of(bridge).items():
            if name != keep and not alias.startswith(self._mark.alias_prefix):
                links.leave_bridge(name)

    def _wanted(self, links: Links, document: HostNetworks, network_id: str) -> Carrier | None:
        """Return the carrier of a network. Raises VifPlugFailed: the host lacks the interface that it needs."""
        segment = document.networks.get(network_id)
        make = _MAKERS.get(segment.network_type) if segment else None
        return make(self._underlay, links, network_id, segment) if make and segment else None

    @staticmethod
    def _entries(document: HostNetworks, network_id: str, carrier: Carrier) -> set[Entry] | None:
        """Return the rows that lead to the neighbours; None for a carrier that needs none."""
        if carrier.kind.get("kind") != VXLAN:
            return None
        return entries(document.neighbours.get(network_id, NeighboursSpec()).ports, carrier.mtu)


_LACKING = "this kernel cannot make links of the kind {kind} (VLANs need its module 8021q)"


def changed(old: HostNetworks, document: HostNetworks) -> set[str]:
    """Return the networks whose carriers or neighbours are others than they were."""
    return {
        key
        for before, now in ((old.networks, document.networks), (old.neighbours, document.neighbours))
        for key in before.keys() | now.keys()
        if before.get(key) != now.get(key)
    }


def _names(network_id: str) -> tuple[str, str]:
    return tunnel_name(network_id), vlan_name(network_id)


def _tunnel(underlay: Underlay, _: Links, network_id: str, segment: SegmentSpec) -> Carrier | None:
    if not underlay.tunnel_ip:
        return None
    version = "6" if ":" in underlay.tunnel_ip else ""
    kind = {
        "kind": VXLAN, "vxlan_id": segment.segmentation_id, f"vxlan_local{version}": underlay.tunnel_ip,
        "vxlan_port": TUNNEL_PORT, "vxlan_learning": 0, "vxlan_proxy": 1,
    }  # fmt: skip
    facts = {
        "IFLA_VXLAN_ID": segment.segmentation_id, f"IFLA_VXLAN_LOCAL{version}": underlay.tunnel_ip,
        "IFLA_VXLAN_PORT": TUNNEL_PORT, "IFLA_VXLAN_LEARNING": 0, "IFLA_VXLAN_PROXY": 1,
    }  # fmt: skip
    return Carrier(tunnel_name(network_id), segment.mtu, kind=kind, facts=facts)


def _tagged(underlay: Underlay, links: Links, network_id: str, segment: SegmentSpec) -> Carrier | None:
    wire = _wire(underlay, links, segment)
    if wire is None:
        return None
    name, index = wire
    links.raise_up(name)
    kind = {"kind": VLAN, "link": index, "vlan_id": segment.segmentation_id}
    facts = {"IFLA_LINK": index, "IFLA_VLAN_ID": segment.segmentation_id}
    return Carrier(vlan_name(network_id), segment.mtu, kind=kind, facts=facts)


def _bare(underlay: Underlay, links: Links, _: str, segment: SegmentSpec) -> Carrier | None:
    wire = _wire(underlay, links, segment)
    return None if wire is None else Carrier(wire[0], segment.mtu, is_ours=False)


def _wire(underlay: Underlay, links: Links, segment: SegmentSpec) -> tuple[str, int] | None:
    """Return the interface that leads to a network outside; None where the host has no such network."""
    name = underlay.wires.get(segment.physical_network, HOST)
    if name == HOST:
        return None
    link = links.find(name)
    if link is None:
        raise VifPlugFailed(f"the host has no interface {name}, which leads to {segment.physical_network}")
    return name, int(link["index"])


_MAKERS: Mapping[str, Callable[[Underlay, Links, str, SegmentSpec], Carrier | None]] = {
    VXLAN: _tunnel, GENEVE: _tunnel, VLAN: _tagged, FLAT: _bare,
}  # fmt: skip


def _fact(link: Any, name: str) -> Any:
    """Return what the kernel says of a link by the name of an attribute, which may be of its kind."""
    if name == "IFLA_LINK":
        return link.get_attr(name)
    return link.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA", name)
