"""The preferences. Each is one file; to add one, write it and list it."""

from scheduler.core.weighers.base import Weigher
from scheduler.core.weighers.cpu import CpuWeigher
from scheduler.core.weighers.disk import DiskWeigher
from scheduler.core.weighers.packed_cpu import PackedCpuWeigher
from scheduler.core.weighers.packed_ram import PackedRamWeigher
from scheduler.core.weighers.ram import RamWeigher
from scheduler.core.weighers.soft_affinity import SoftAffinityWeigher
from scheduler.core.weighers.soft_anti_affinity import SoftAntiAffinityWeigher

_OF_GROUPS: tuple[Weigher, ...] = (SoftAffinityWeigher(), SoftAntiAffinityWeigher())
SPREAD: tuple[Weigher, ...] = (RamWeigher(), CpuWeigher(), DiskWeigher(), *_OF_GROUPS)
PACK: tuple[Weigher, ...] = (PackedRamWeigher(), PackedCpuWeigher(), *_OF_GROUPS)
