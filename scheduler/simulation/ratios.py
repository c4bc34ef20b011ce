"""How much of what a host has may be promised, as it is written on a command line: vcpu=4,memory=1.0,disk=1."""

import math
from dataclasses import dataclass, fields

_MOST = 1_000


@dataclass(frozen=True)
class Ratios:
    """How often each may be promised."""

    vcpu: float = 1.0
    memory: float = 1.0
    disk: float = 1.0


_NAMES = tuple(field.name for field in fields(Ratios))


def read_ratios(text: str) -> dict[str, float]:
    """Return the ratios that a text names.

    Raises:
        ValueError: something else than vcpu, memory or disk, twice the same, or no number above 0 and up to 1,000.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, written = part.partition("=")
        if name not in _NAMES:
            raise ValueError(f"{part!r} names none of {', '.join(_NAMES)}: write for instance vcpu=4,memory=1.0")
        if name in found:
            raise ValueError(f"{name} is there twice")
        found[name] = _ratio(name, written)
    return found


def _ratio(name: str, written: str) -> float:
    try:
        ratio = float(written)
    except ValueError:
        ratio = math.nan
    if not 0 < ratio <= _MOST:
        raise ValueError(f"{name}={written!r} is no ratio: it must be a number above 0 and up to {_MOST}")
    return ratio
