"""Networks outside, in the one variable that the control plane and the agents read: `name[:interface][:first:last]`.

The control plane gives out the VLANs from `first` to `last`; a host is connected by `interface`, or is not.
"""

import re
from dataclasses import dataclass

MOST_VLANS = 4094
# In place of an interface: the host itself is what the network leads to.
HOST = "host"
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_.@-]{0,14}")
_MOST_CHARACTERS = 64


@dataclass(frozen=True)
class PhysicalNetwork:
    """A network outside. `interface`: empty for none; `first`, `last`: its VLANs, both included."""

    name: str
    interface: str = ""
    first: int = 1
    last: int = MOST_VLANS


def read(text: str) -> list[PhysicalNetwork]:
    """Return the networks that a text names, separated by commas. Raises ValueError."""
    found = [_read_one(part) for part in (piece.strip() for piece in text.split(",")) if part]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"'{name}': a physical network needs a name of its own")
    return found


def interfaces(text: str) -> dict[str, str]:
    """Return a host's interfaces by the networks that they lead to. Raises ValueError."""
    return {one.name: one.interface for one in read(text) if one.interface}


def _read_one(text: str) -> PhysicalNetwork:
    name, *rest = text.split(":")
    if not name or len(name) > _MOST_CHARACTERS or not name.isprintable():
        raise ValueError(f"'{text}': a physical network needs a name of at most {_MOST_CHARACTERS} characters")
    interface = rest.pop(0) if rest and not rest[0].isdigit() else ""
    if interface and not _INTERFACE.fullmatch(interface):
        raise ValueError(f"'{text}': '{interface}' cannot be an interface")
    if not rest:
        return PhysicalNetwork(name, interface)
    if len(rest) != 2 or not all(part.isdigit() for part in rest):
        raise ValueError(f"'{text}' must look like name, name:interface or name:interface:first:last")
    first, last = int(rest[0]), int(rest[1])
    if not 1 <= first <= last <= MOST_VLANS:
        raise ValueError(f"'{text}': VLANs go from 1 to {MOST_VLANS}")
    return PhysicalNetwork(name, interface, first, last)
