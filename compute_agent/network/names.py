"""What our things in the kernel are called: at most 15 characters, the same on every host."""

_DIGITS = 11


def _digits(id: str, count: int) -> str:
    return id.replace("-", "")[:count]


def tap_name(port_id: str) -> str:
    """Return the name of a port's tap."""
    return "ntap" + _digits(port_id, _DIGITS)


def bridge_name(network_id: str) -> str:
    """Return the name of a network's bridge."""
    return "nbr" + _digits(network_id, _DIGITS)
