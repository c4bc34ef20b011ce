"""Reading the settings of what carries networks."""

_MAX_VLAN = 4094


def read_range(text: str, most: int) -> tuple[int, int]:
    """Read `first:last`, both from 1 to `most`. Raises ValueError with a sentence."""
    first, _, last = text.partition(":")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= most):
        raise ValueError(f"'{text}' is no range: write first:last, from 1 to {most}")
    return int(first), int(last)


def read_physical_networks(text: str) -> dict[str, tuple[int, int]]:
    """Read `name,name:first:last` into names and their VLANs; all where none are given. Raises ValueError."""
    found: dict[str, tuple[int, int]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, vlans = part.partition(":")
        if not name or name in found or len(name) > 64:
            raise ValueError(f"'{part}': a physical network needs a name of its own of at most 64 characters")
        found[name] = read_range(vlans, _MAX_VLAN) if vlans else (1, _MAX_VLAN)
    return found
