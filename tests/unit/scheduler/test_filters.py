"""Each filter: whom it lets through, whom not, and that it says so in words."""

from typing import Any

import pytest

from contracts.scheduling import HostState
from scheduler.core.filters import FILTERS
from tests.factories.scheduling import choose, make_host, make_request, make_table

GROUP = {"group_policy": "affinity"}
ANTI = {"group_policy": "anti-affinity"}
X86 = {"architecture": "x86_64"}

# filter, what the host is, what the request asks for, whether the filter lets the host through
CASES: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("EnabledFilter", {"is_enabled": True}, {}, True),
    ("EnabledFilter", {"is_enabled": False}, {}, False),
    ("UpFilter", {"is_up": True}, {}, True),
    ("UpFilter", {"is_up": False}, {}, False),
    ("SoundFilter", {"is_sound": True}, {}, True),
    ("SoundFilter", {"is_sound": False}, {}, False),
    ("AvailabilityZoneFilter", {"availability_zone": "north"}, {}, True),
    ("AvailabilityZoneFilter", {"availability_zone": "north"}, {"availability_zone": "north"}, True),
    ("AvailabilityZoneFilter", {"availability_zone": "North"}, {"availability_zone": "north"}, False),
    ("AvailabilityZoneFilter", {}, {"availability_zone": "never heard of"}, False),
    ("RamFilter", {"memory_mb": 2048, "memory_mb_used": 1024}, {"memory_mb": 1024}, True),
    ("RamFilter", {"memory_mb": 2048, "memory_mb_used": 1025}, {"memory_mb": 1024}, False),
    ("RamFilter", {"memory_mb": 2048, "memory_mb_used": 4096}, {"memory_mb": 1}, False),
    ("VcpuFilter", {"vcpus": 4, "vcpus_used": 3}, {"vcpus": 1}, True),
    ("VcpuFilter", {"vcpus": 4, "vcpus_used": 4}, {"vcpus": 1}, False),
    ("DiskFilter", {"disk_gb": 40, "disk_gb_used": 20}, {"disk_gb": 20}, True),
    ("DiskFilter", {"disk_gb": 40, "disk_gb_used": 21}, {"disk_gb": 20}, False),
    ("DiskFilter", {"disk_gb": 0}, {"disk_gb": 0}, True),
    ("ImagePropertiesFilter", {"architecture": "x86_64"}, {"image_properties": X86}, True),
    ("ImagePropertiesFilter", {"architecture": "aarch64"}, {"image_properties": X86}, False),
    ("ImagePropertiesFilter", {"architecture": "x86_64"}, {"image_properties": {"architecture": "AMD64"}}, True),
    ("ImagePropertiesFilter", {"architecture": "x86_64"}, {"image_properties": {"architecture": "i686"}}, True),
    ("ImagePropertiesFilter", {"architecture": "i686"}, {"image_properties": X86}, False),
    ("ImagePropertiesFilter", {"hypervisor_type": "QEMU"}, {"image_properties": {"hypervisor_type": "kvm"}}, True),
    ("ImagePropertiesFilter", {"hypervisor_type": "QEMU"}, {"image_properties": {"hypervisor_type": "xen"}}, False),
    ("ImagePropertiesFilter", {"vm_mode": "hvm"}, {"image_properties": {"vm_mode": "xen", **X86}}, False),
    ("ImagePropertiesFilter", {"vm_mode": "hvm"}, {"image_properties": {"vm_mode": ""}}, True),
    ("ImagePropertiesFilter", {}, {"image_properties": {"os_distro": "debian"}}, True),
    ("TraitsFilter", {"traits": ["HW_A", "HW_B"]}, {"required_traits": ["HW_A", "HW_B"]}, True),
    ("TraitsFilter", {"traits": ["HW_A"]}, {"required_traits": ["HW_A", "HW_B"]}, False),
    ("TraitsFilter", {"traits": ["HW_A"]}, {"required_traits": []}, True),
    ("TraitsFilter", {"traits": []}, {"required_traits": ["CUSTOM_UNHEARD_OF"]}, False),
    ("RequestedHostFilter", {}, {"requested_host": "a"}, True),
    ("RequestedHostFilter", {}, {"requested_host": "b"}, False),
    ("IgnoreHostsFilter", {}, {"ignore_hosts": ["b"]}, True),
    ("IgnoreHostsFilter", {}, {"ignore_hosts": ["b", "a"]}, False),
    ("SameHostFilter", {}, {"same_hosts": ["b", "a"]}, True),
    ("SameHostFilter", {}, {"same_hosts": ["b"]}, False),
    ("DifferentHostFilter", {}, {"different_hosts": ["b"]}, True),
    ("DifferentHostFilter", {}, {"different_hosts": ["a"]}, False),
    ("AffinityFilter", {}, {**GROUP, "group_hosts": []}, True),
    ("AffinityFilter", {}, {**GROUP, "group_hosts": ["a"]}, True),
    ("AffinityFilter", {}, {**GROUP, "group_hosts": ["gone"]}, False),
    ("AffinityFilter", {}, {"group_hosts": ["gone"]}, True),
    ("AntiAffinityFilter", {}, {**ANTI, "group_hosts": ["b"]}, True),
    ("AntiAffinityFilter", {}, {**ANTI, "group_hosts": ["a"]}, False),
    ("AntiAffinityFilter", {}, {**ANTI, "group_hosts": ["a"], "max_per_host": 2}, True),
    ("AntiAffinityFilter", {}, {**ANTI, "group_hosts": ["a", "a"], "max_per_host": 2}, False),
    ("AntiAffinityFilter", {}, {**ANTI, "group_hosts": [], "max_per_host": 0}, True),
    ("AntiAffinityFilter", {}, {"group_policy": "soft-anti-affinity", "group_hosts": ["a"]}, True),
]


def outsider() -> HostState:
    """A host that no case can take, so that columns have more than one row."""
    return make_host("z", is_up=False, is_enabled=False, vcpus=0, memory_mb=0, disk_gb=0)


@pytest.mark.parametrize(("name", "host", "request_", "expected"), CASES)
def test_filter_decides(name: str, host: dict[str, Any], request_: dict[str, Any], expected: bool):
    table = make_table(outsider(), make_host("a", **host))
    request = make_request(**request_)
    columns = table.columns(request)
    (one,) = [one for one in FILTERS if one.name == name]

    mask = one.judge(columns, request)
    alone = one.judge(columns.only(1), request)

    assert (mask is None or bool(mask[1])) is expected
    assert (alone is None or bool(alone[0])) is expected, "one host must be judged as among all"
    selected = choose(table, request)
    assert bool(selected.hosts[0]) is expected
    if not expected:
        (trace,) = [trace for trace in selected.trace if trace.filter == name]
        assert trace.hosts_in > trace.hosts_out == 0
        assert "1 host " in selected.nearest_miss


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.name)
def test_every_filter_is_decided_both_ways_by_the_cases(one: Any):
    assert {expected for name, _, _, expected in CASES if name == one.name} == {True, False}
