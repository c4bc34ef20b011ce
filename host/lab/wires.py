"""The wires between the hosts of a lab: for each a bridge of the machine's, and a cable from it to every host.

The hosts' addresses on the wire of VXLAN exist in the hosts alone. On the wire to the outside only the machine has one,
as the external network's gateway (ADR 150).
"""

import hashlib
import ipaddress
import subprocess
from dataclasses import dataclass
from pathlib import Path

from host.settings import HostSettings

_BRIDGE, _CABLE = "nlb", "nlc"


@dataclass(frozen=True)
class Wire:
    """A wire. `name`: of its end in a host; `network`: that the hosts' addresses on it are of, None for none."""

    name: str
    network: ipaddress.IPv4Network | None

    def address(self, machine: str) -> str:
        """Return the address of a host on the wire, empty for none."""
        return str(self.network[_number(machine)]) if self.network else ""


# In a range for tests of networks alone (RFC 2544): nobody routes it. The wires' own, and one for each lab's outside.
TUNNELS = Wire("wire0", ipaddress.IPv4Network("198.18.0.0/24"))
_OUTSIDES = ipaddress.IPv4Network("198.19.0.0/16")
OUTSIDE = Wire("ext0", None)
WIRES = (TUNNELS, OUTSIDE)
# What flat and VLAN networks call the wire to the outside.
PHYSICAL_NETWORK = "public"


def outside(settings: HostSettings) -> ipaddress.IPv4Interface:
    """Return the machine's address on the wire to the outside, in a network of this lab's own."""
    networks = list(_OUTSIDES.subnets(new_prefix=24))
    network = networks[int(_digits(settings), 16) % len(networks)]
    return ipaddress.IPv4Interface(f"{network[1]}/{network.prefixlen}")


def plug_in(settings: HostSettings, machine: str, pid: int) -> None:
    """Put cables from all wires into the host whose network the process is in."""
    for place, wire in enumerate(WIRES):
        bridge, near = _bridge(settings, place), f"{_CABLE}{place}{_digits(settings)}{_number(machine)}"
        if not _exists(bridge):
            _ip("link", "add", bridge, "type", "bridge", "mcast_snooping", "0", is_tried=True)
            _ip("link", "set", bridge, "alias", f"{settings.runtime_dir.name} wire")
            _silence(bridge)
            if wire is OUTSIDE:
                _ip("address", "add", str(outside(settings)), "dev", bridge, is_tried=True)
        if _exists(near):  # of the host before it was switched off, whose network is on its way out
            _ip("link", "delete", near, is_tried=True)
        _ip("link", "add", near, "type", "veth", "peer", "name", wire.name, "netns", f"/proc/{pid}/ns/net")
        _ip("link", "set", near, "alias", f"{settings.runtime_dir.name} wire to {machine}")
        _silence(near)
        _ip("link", "set", near, "master", bridge, "up")
        _ip("link", "set", bridge, "up")


def raise_up(machine: str) -> None:
    """Have a host's own ends of its cables up, with its addresses; runs in the host."""
    for wire in WIRES:
        if wire.network:
            _ip("address", "add", f"{wire.address(machine)}/{wire.network.prefixlen}", "dev", wire.name)
        _ip("link", "set", wire.name, "up")


def remove(settings: HostSettings) -> None:
    """Remove the cables, which may outlast their hosts for a moment, and the bridges."""
    for cable in Path("/sys/class/net").glob(f"{_CABLE}*{_digits(settings)}*"):
        _ip("link", "delete", cable.name, is_tried=True)
    for place in range(len(WIRES)):
        if _exists(_bridge(settings, place)):
            _ip("link", "delete", _bridge(settings, place))


def _bridge(settings: HostSettings, place: int) -> str:
    return f"{_BRIDGE}{place}{_digits(settings)}"


def _digits(settings: HostSettings) -> str:
    """Return what makes the names of links this lab's own, within the 15 characters that they may have."""
    return hashlib.sha256(str(settings.state_dir).encode()).hexdigest()[:8]


def _number(machine: str) -> int:
    return int(machine.removeprefix("h"))


def _exists(link: str) -> bool:
    return Path(f"/sys/class/net/{link}").exists()


def _silence(link: str) -> None:
    setting = Path(f"/proc/sys/net/ipv6/conf/{link}/disable_ipv6")
    if setting.exists():
        setting.write_text("1")


def _ip(*words: str, is_tried: bool = False) -> None:
    """Run `ip`. `is_tried`: another host of the lab may do the same at the same moment."""
    subprocess.run(["ip", *words], check=not is_tried, capture_output=is_tried, timeout=10)
