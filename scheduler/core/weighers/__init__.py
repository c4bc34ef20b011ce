"""The preferences. Each is one file; to add one, write it and list it."""

from scheduler.core.weighers.base import Weigher
from scheduler.core.weighers.cpu import CpuWeigher
from scheduler.core.weighers.disk import DiskWeigher
from scheduler.core.weighers.ram import RamWeigher
from scheduler.core.weighers.soft_affinity import SoftAffinityWeigher
from scheduler.core.weighers.soft_anti_affinity import SoftAntiAffinityWeigher

WEIGHERS: tuple[Weigher, ...] = (
    RamWeigher(),
    CpuWeigher(),
    DiskWeigher(),
    SoftAffinityWeigher(),
    SoftAntiAffinityWeigher(),
)
