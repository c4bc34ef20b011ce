"""What guests of each network are told of IPv6, as files: advertisements and leases, by the document and the ports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compute_agent.network.adverts.frames import frames
from compute_agent.network.dhcpv6.leases import leases
from compute_agent.network.forwarding import SMALLEST_IPV6_MTU, link_local
from compute_agent.network.names import Mark
from compute_agent.network.ports import PluggedPort
from compute_agent.network.said_files import SaidFiles
from contracts.networks import SegmentSpec


class Telling:
    """The files of all networks. Who changes a network's holds its lock."""

    def __init__(self, state_dir: Path, mark: Mark) -> None:
        self._mark = mark
        self._adverts, self._leases = SaidFiles(state_dir / "adverts"), SaidFiles(state_dir / "dhcpv6")

    def ensure(self, network_id: str, segment: SegmentSpec | None, ports: Sequence[PluggedPort]) -> None:
        """Have a network's guests told what the document says, these ports among them."""
        for files, content in self._wanted(network_id, segment, ports):
            files.ensure(network_id, content)

    def is_whole(self, network_id: str, segment: SegmentSpec | None, ports: Sequence[PluggedPort]) -> bool:
        """Whether they are told that, and nothing else."""
        return all(files.has(network_id, content) for files, content in self._wanted(network_id, segment, ports))

    def leased(self, network_id: str, mac_address: str) -> list[str]:
        """Return the addresses that DHCPv6 gives in a network to whoever has a MAC address."""
        lease = self._leases.said(network_id).get(link_local(mac_address), {})
        return list(lease.get("addresses", ()))

    def drop(self, network_id: str) -> None:
        """Have nothing told in a network."""
        for files in (self._adverts, self._leases):
            files.drop(network_id)

    def clear(self) -> None:
        """Have nothing told at all."""
        for files in (self._adverts, self._leases):
            files.clear()

    def _wanted(
        self, network_id: str, segment: SegmentSpec | None, ports: Sequence[PluggedPort]
    ) -> list[tuple[SaidFiles, dict[str, Any]]]:
        told = frames(segment, self._mark.leg_mac(network_id)) if segment else {}
        is_wide = segment is not None and segment.mtu >= SMALLEST_IPV6_MTU
        given = leases([*segment.adverts, *segment.leased], ports) if segment and is_wide else {}
        return [(self._adverts, told), (self._leases, given)]
