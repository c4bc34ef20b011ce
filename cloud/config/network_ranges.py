"""Reading the settings of what carries networks."""

from contracts import physical_networks


def read_range(text: str, most: int) -> tuple[int, int]:
    """Read `first:last`, both from 1 to `most`. Raises ValueError with a sentence."""
    first, _, last = text.partition(":")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= most):
        raise ValueError(f"'{text}' is no range: write first:last, from 1 to {most}")
    return int(first), int(last)


def read_physical_networks(text: str) -> dict[str, tuple[int, int]]:
    """Return the VLANs that are given out of each network outside. Raises ValueError."""
    return {one.name: (one.first, one.last) for one in physical_networks.read(text)}
