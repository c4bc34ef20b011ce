"""Pack servers by memory."""

from typing import ClassVar

from scheduler.core.weighers.ram import RamWeigher


class PackedRamWeigher(RamWeigher):
    """Prefers the host with the least memory free."""

    name: ClassVar[str] = "PackedRamWeigher"
    multiplier: ClassVar[float] = -1.0
