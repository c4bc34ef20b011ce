"""What a host carries networks by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

VXLAN, GENEVE, VLAN, FLAT = "vxlan", "geneve", "vlan", "flat"


@dataclass(frozen=True)
class Underlay:
    """The ways out of a host.

    Attributes:
        tunnel_ip: its own address in the wire of VXLAN, which other hosts send to; empty for no VXLAN.
        wires: interfaces by the name of the physical network that they lead to, or `contracts.physical_networks.HOST`.
        network_types: what can be carried.
    """

    tunnel_ip: str = ""
    wires: Mapping[str, str] = field(default_factory=dict)
    network_types: tuple[str, ...] = ()


NO_UNDERLAY = Underlay()
