"""How a port is on this host: read from the kernel and from the files that DHCP and metadata are served from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from compute_agent.network import namespaces, nft
from compute_agent.network.dhcp import Dnsmasq
from compute_agent.network.guards import Guards
from compute_agent.network.links import Links
from compute_agent.network.names import Mark, bridge_name, tap_name
from compute_agent.network.ports import PluggedPort, PortShelf, merged_network
from compute_agent.network.rule_digests import Ruleset
from compute_agent.network.segments import Segments
from compute_agent.network.telling import Telling
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec
from contracts.inspection import PortAsked, PortSeen

_UP = 1


@dataclass(frozen=True)
class Parts:
    """What a host's network is made of.

    Attributes:
        mark: of our installation.
        shelf: what is plugged, by its files.
        guards: what may pass the ports, and how much.
        segments: what carries the networks.
        telling: what guests are told by IPv6.
    """

    mark: Mark
    shelf: PortShelf
    guards: Guards
    segments: Segments
    telling: Telling


class View:
    """One look at the host.

    Args:
        parts: of its network.
        answered: the addresses from which the metadata service knows each port, by port id.
        links: an open connection to the kernel.
    """

    def __init__(self, parts: Parts, answered: Mapping[str, set[str]], links: Links) -> None:
        self._guards, self._segments, self._telling = parts.guards, parts.segments, parts.telling
        self._mark, self._shelf, self._answered, self._links = parts.mark, parts.shelf, answered, links

    def port(self, asked: PortAsked) -> PortSeen:
        """Return how a port is."""
        tap = self._links.find(tap_name(asked.id))
        return PortSeen(
            id=asked.id,
            has_tap=tap is not None and self._is_joined(tap, asked.network_id),
            is_held=bool(tap and tap.get_attr("IFLA_CARRIER")),
            is_filtered=self._guards.is_guarded(self._ruleset, _plugged(asked)),
            is_carried=self._segments.is_whole(self._guards.kept().document, asked.network_id),
            is_limited=self._guards.is_limited(asked.id),
            is_served=bool(asked.network_id) and self._is_served(asked.network_id),
            leased=sorted(self._dhcp(asked.network_id).reserved_for(asked.mac_address)) if asked.network_id else [],
            leased_ipv6=sorted(self._telling.leased(asked.network_id, asked.mac_address)) if asked.network_id else [],
            answered=sorted(self._answered.get(asked.id, ())),
        )

    def _is_joined(self, tap: Any, network_id: str) -> bool:
        """Whether the tap and its network's bridge are up, one in the other."""
        bridge = self._links.find(bridge_name(network_id))
        if bridge is None or tap.get_attr("IFLA_MASTER") != bridge["index"]:
            return False
        return bool(tap["flags"] & bridge["flags"] & _UP)

    @cached_property
    def _ruleset(self) -> Ruleset:
        return Ruleset(nft.listing("bridge", self._mark.table))

    def _is_served(self, network_id: str) -> bool:
        ports = self._shelf.on_network(network_id)
        has_namespace = namespaces.exists(self._mark.namespace(network_id))
        return bool(ports) and has_namespace and self._dhcp(network_id).is_as_wanted(merged_network(ports))

    def _dhcp(self, network_id: str) -> Dnsmasq:
        return Dnsmasq(
            self._shelf.folder(network_id), self._mark.namespace(network_id), self._guards.routed(network_id)
        )


def _plugged(asked: PortAsked) -> PluggedPort:
    """Return the port that was asked for in the form that rules are made of."""
    fixed_ips = [FixedIpSpec(subnet_id="", ip_address=address) for address in asked.addresses]
    network = NetworkSpec(id=asked.network_id)
    return PluggedPort("", PortSpec(id=asked.id, mac_address=asked.mac_address, network=network, fixed_ips=fixed_ips))
