"""Columns choose what a plain loop over hosts chooses, whatever the hosts, the request and the chance."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.scheduling import HostState, RequestSpec
from scheduler.core.filters import FILTERS
from scheduler.core.policies import POLICIES
from scheduler.core.weighers import PACK, SPREAD
from tests.factories.scheduling import choose, first_choices, make_table
from tests.unit.scheduler import plain_loop
from tests.unit.scheduler.plain_loop import PlainScheduler

NAMES = [f"h{i}" for i in range(8)]
TRAITS = ["HW_A", "HW_B"]
names = st.sampled_from([*NAMES, "unheard-of"])


def rarely(usual: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly the usual, so that enough requests find room and the batches go on."""
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), other)


few_names = rarely([], st.lists(names, max_size=4))
amounts = st.integers(-2, 40)


@st.composite
def host_states(draw: st.DrawFn) -> list[HostState]:
    chosen = draw(
        st.lists(st.sampled_from(NAMES), unique=True, min_size=draw(st.sampled_from([0, 2, 5])), max_size=len(NAMES))
    )
    return [draw(host_state(name)) for name in chosen]


def host_state(name: str) -> st.SearchStrategy[HostState]:
    mostly = st.sampled_from([True] * 9 + [False])
    return st.builds(
        HostState,
        host=st.just(name),
        generation=st.just(1),
        is_enabled=mostly,
        is_up=mostly,
        is_sound=mostly,
        availability_zone=st.sampled_from(["nova", "nova", "north"]),
        vcpus=amounts,
        vcpus_used=st.integers(-1, 4),
        memory_mb=amounts,
        memory_mb_used=st.integers(-1, 4),
        disk_gb=amounts,
        disk_gb_used=st.integers(-1, 4),
        architecture=st.sampled_from(["x86_64", "x86_64", "aarch64", "i686"]),
        hypervisor_type=st.sampled_from(["QEMU", "KVM", "xen"]),
        vm_mode=st.sampled_from(["hvm", "hvm", "exe"]),
        traits=st.lists(st.sampled_from(TRAITS), unique=True),
    )


image_properties = st.fixed_dictionaries({}, optional={
    "architecture": st.sampled_from(["x86_64", "i686", ""]),
    "hypervisor_type": st.sampled_from(["KVM", "qemu"]),
    "vm_mode": st.sampled_from(["hvm", "exe"]),
    "os_distro": st.just("debian"),
})  # fmt: skip
requests = st.builds(
    RequestSpec,
    vcpus=st.integers(0, 3),
    memory_mb=st.integers(0, 3),
    disk_gb=st.integers(0, 3),
    availability_zone=rarely("", st.sampled_from(["nova", "north", "south"])),
    group_policy=st.sampled_from(["", "affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"]),
    group_hosts=few_names,
    max_per_host=st.integers(1, 3),
    image_properties=rarely({}, image_properties),
    required_traits=rarely([], st.lists(st.sampled_from(TRAITS), unique=True)),
    requested_host=rarely("", names),
    ignore_hosts=few_names,
    same_hosts=few_names,
    different_hosts=few_names,
)


@settings(max_examples=400, deadline=None)
@given(host_states(), requests, st.integers(1, 12), st.integers(0, 3), st.sampled_from(list(POLICIES)))
def test_columns_choose_what_a_plain_loop_chooses(
    states: list[HostState], request: RequestSpec, count: int, alternates: int, placement: str
):
    selected = choose(make_table(*states), request, count, alternates, policy=POLICIES[placement])
    plain = PlainScheduler.of(states, request, placement)

    assert len(selected.hosts) == count
    for pick in first_choices(selected):
        best = plain.best()
        assert pick in best if best else pick == ""
        if pick:
            plain.place(pick)
    assert bool(selected.nearest_miss) == ([] in selected.hosts)
    for hosts in selected.hosts:
        assert len(set(hosts)) == len(hosts) <= alternates + 1
        if count > 1:
            assert set(hosts[1:]) <= set(plain.admitted())


@settings(max_examples=100, deadline=None)
@given(host_states(), requests)
def test_trace_adds_up(states: list[HostState], request: RequestSpec):
    selected = choose(make_table(*states), request)
    counts = [selected.hosts_total] + [one.hosts_out for one in selected.trace]
    assert [one.hosts_in for one in selected.trace] == counts[:-1]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == len(PlainScheduler.of(states, request).admitted())


def test_the_plain_loop_knows_every_filter_and_weigher():
    assert {one.name for one in FILTERS} == plain_loop.FILTERS
    assert {one.name for one in (*SPREAD, *PACK)} == plain_loop.WEIGHERS
