"""Pack servers by CPU."""

from typing import ClassVar

from scheduler.core.weighers.cpu import CpuWeigher


class PackedCpuWeigher(CpuWeigher):
    """Prefers the host with the fewest virtual CPUs free."""

    name: ClassVar[str] = "PackedCpuWeigher"
    multiplier: ClassVar[float] = -1.0
