"""The rules, in the order in which the trace tells of them. Each is one file; to add one, write it and list it."""

from scheduler.core.filters.affinity import AffinityFilter
from scheduler.core.filters.anti_affinity import AntiAffinityFilter
from scheduler.core.filters.availability_zone import AvailabilityZoneFilter
from scheduler.core.filters.base import Filter
from scheduler.core.filters.different_host import DifferentHostFilter
from scheduler.core.filters.disk import DiskFilter
from scheduler.core.filters.enabled import EnabledFilter
from scheduler.core.filters.ignore_hosts import IgnoreHostsFilter
from scheduler.core.filters.image_properties import ImagePropertiesFilter
from scheduler.core.filters.ram import RamFilter
from scheduler.core.filters.requested_host import RequestedHostFilter
from scheduler.core.filters.same_host import SameHostFilter
from scheduler.core.filters.sound import SoundFilter
from scheduler.core.filters.traits import TraitsFilter
from scheduler.core.filters.up import UpFilter
from scheduler.core.filters.vcpu import VcpuFilter

FILTERS: tuple[Filter, ...] = (
    EnabledFilter(),
    UpFilter(),
    SoundFilter(),
    RequestedHostFilter(),
    IgnoreHostsFilter(),
    AvailabilityZoneFilter(),
    ImagePropertiesFilter(),
    TraitsFilter(),
    VcpuFilter(),
    RamFilter(),
    DiskFilter(),
    SameHostFilter(),
    DifferentHostFilter(),
    AffinityFilter(),
    AntiAffinityFilter(),
)
