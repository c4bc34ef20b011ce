"""The decision: what it promises of batches, groups, alternates, chance, traces and failures."""

from collections import Counter

import numpy as np
import pytest

from contracts.scheduling import FilterTrace
from scheduler.core.failures import FilterFailedError
from scheduler.core.filters import FILTERS
from scheduler.core.filters.base import AfterPick
from scheduler.core.filters.ram import RamFilter
from scheduler.core.pipeline import select_destinations
from scheduler.core.policies import POLICIES, Policy
from tests.factories.scheduling import choose, first_choices, make_host, make_request, make_table


def test_emptiest_host_wins():
    table = make_table(make_host("a", memory_mb_used=1), make_host("b"), make_host("c", vcpus_used=1))
    assert first_choices(choose(table, make_request())) == ["b"]


def test_batch_spreads_evenly_over_equal_hosts():
    table = make_table(*(make_host(f"h{i}") for i in range(5)))
    assert Counter(first_choices(choose(table, make_request(), count=15))) == {f"h{i}": 3 for i in range(5)}


def test_packing_fills_a_host_before_the_next():
    table = make_table(*(make_host(f"h{i}", memory_mb=5 * 1024) for i in range(5)))
    chosen = Counter(first_choices(choose(table, make_request(), count=11, policy=POLICIES["pack"])))
    assert sorted(chosen.values()) == [1, 5, 5]


def test_the_default_spreads_until_less_than_half_of_the_hosts_are_half_free():
    roomy = make_table(make_host("a", vcpus_used=4), make_host("b"), make_host("c", vcpus_used=9))
    assert first_choices(choose(roomy, make_request())) == ["b"]
    tight = make_table(make_host("a", vcpus_used=10), make_host("b"), make_host("c", vcpus_used=9))
    assert first_choices(choose(tight, make_request())) == ["a"]


def test_hosts_that_take_no_servers_are_no_room():
    states = [make_host("a", vcpus_used=10), make_host("b"), make_host("c", vcpus_used=9), make_host("d", is_up=False)]
    assert first_choices(choose(make_table(*states), make_request())) == ["a"]


def test_packing_keeps_a_group_apart_that_wants_to_be():
    table = make_table(*(make_host(f"h{i}") for i in range(3)))
    request = make_request(group_policy="soft-anti-affinity")
    assert sorted(first_choices(choose(table, request, count=3, policy=POLICIES["pack"]))) == ["h0", "h1", "h2"]


def test_batch_fills_hosts_and_then_finds_none():
    table = make_table(make_host("a", memory_mb=2048), make_host("b", memory_mb=1024))
    selected = choose(table, make_request(memory_mb=1024), count=5)
    assert sorted(first_choices(selected)) == ["", "", "a", "a", "b"]
    assert first_choices(selected)[3:] == ["", ""]
    assert selected.nearest_miss == "2 hosts lack 1024 MB of memory; the most that would fit is 0 MB on a host."
    assert FilterTrace(filter="RamFilter", hosts_in=2, hosts_out=0) in selected.trace


def test_anti_affinity_holds_inside_the_batch():
    table = make_table(*(make_host(f"h{i}") for i in range(4)))
    request = make_request(group_policy="anti-affinity", group_hosts=["h0"])
    assert sorted(first_choices(choose(table, request, count=4))) == ["", "h1", "h2", "h3"]


def test_anti_affinity_with_two_per_host_holds_inside_the_batch():
    table = make_table(*(make_host(f"h{i}") for i in range(2)))
    request = make_request(group_policy="anti-affinity", group_hosts=["h0"], max_per_host=2)
    assert sorted(first_choices(choose(table, request, count=4))) == ["", "h0", "h1", "h1"]


def test_affinity_keeps_a_batch_together():
    table = make_table(*(make_host(f"h{i}", memory_mb=4096) for i in range(4)))
    selected = choose(table, make_request(group_policy="affinity", memory_mb=1024), count=6, alternates=2)
    chosen = first_choices(selected)
    assert len(set(chosen[:4])) == 1
    assert chosen[4:] == ["", ""], "the host is full, and no other may take them"
    assert selected.hosts[0] == chosen[:1], "an alternate would tear the group apart"


def test_first_member_of_an_affinity_group_has_alternates():
    table = make_table(*(make_host(f"h{i}") for i in range(4)))
    selected = choose(table, make_request(group_policy="affinity"), alternates=2)
    assert len(set(selected.hosts[0])) == 3


def test_soft_anti_affinity_spreads_and_never_fails():
    table = make_table(make_host("big", memory_mb=90000), make_host("b"), make_host("c"))
    request = make_request(group_policy="soft-anti-affinity", group_hosts=["big"])
    chosen = first_choices(choose(table, request, count=5))
    assert set(chosen[:2]) == {"b", "c"}
    assert Counter(chosen) == {"big": 1, "b": 2, "c": 2}, "all are at two members or fewer, 'big' had one"


def test_soft_affinity_gathers_and_never_fails():
    table = make_table(make_host("a", memory_mb=2048), make_host("big", memory_mb=90000))
    request = make_request(group_policy="soft-affinity", group_hosts=["a"], memory_mb=1024)
    assert first_choices(choose(table, request, count=3)) == ["a", "a", "big"]


def test_alternates_are_the_next_best_and_never_the_chosen():
    table = make_table(*(make_host(f"h{i}", memory_mb=2048 + i) for i in range(5)))
    assert choose(table, make_request(memory_mb=2048), alternates=2).hosts == [["h4", "h3", "h2"]]


def test_alternates_of_a_batch_differ_so_that_retries_do_not_meet():
    table = make_table(*(make_host(f"h{i:02}") for i in range(40)))
    selected = choose(table, make_request(), count=10, alternates=2)
    assert all(len(set(hosts)) == 3 for hosts in selected.hosts)
    assert max(Counter(hosts[1] for hosts in selected.hosts).values()) <= 2


def test_alternates_keep_anti_affinity_with_the_others_of_the_batch():
    table = make_table(*(make_host(f"h{i}") for i in range(4)))
    selected = choose(table, make_request(group_policy="anti-affinity"), count=3, alternates=2)
    (left,) = {f"h{i}" for i in range(4)} - set(first_choices(selected))
    assert all(hosts[1:] == [left] for hosts in selected.hosts)


def test_no_alternates_when_there_is_one_host():
    assert choose(make_table(make_host("a")), make_request(), alternates=3).hosts == [["a"]]


def test_equal_hosts_are_chosen_at_random():
    table = make_table(*(make_host(f"h{i}") for i in range(5)))
    chosen = Counter(first_choices(choose(table, make_request(), seed=seed))[0] for seed in range(200))
    assert set(chosen) == {f"h{i}" for i in range(5)}
    assert max(chosen.values()) < 80


def test_same_seed_same_answer():
    table = make_table(*(make_host(f"h{i}") for i in range(50)))
    request = make_request(group_policy="anti-affinity")
    assert choose(table, request, 20, 2, seed=7) == choose(table, request, 20, 2, seed=7)


def test_trace_tells_who_removed_whom():
    table = make_table(make_host("off", is_enabled=False), make_host("down", is_up=False), make_host("a"))
    selected = choose(table, make_request())
    assert [one.filter for one in selected.trace] == [one.name for one in FILTERS]
    assert selected.trace[:2] == [
        FilterTrace(filter="EnabledFilter", hosts_in=3, hosts_out=2),
        FilterTrace(filter="UpFilter", hosts_in=2, hosts_out=1),
    ]
    assert selected.trace[-1].hosts_out == 1
    assert selected.hosts_total == 3
    assert selected.nearest_miss == ""


def test_nearest_miss_says_what_would_have_fitted():
    hosts = [make_host(f"h{i}", memory_mb=512 * i) for i in range(3)]
    table = make_table(*hosts, make_host("off", is_enabled=False, memory_mb=99999))
    assert choose(table, make_request(memory_mb=2048, disk_gb=0)).nearest_miss == (
        "3 hosts lack 2048 MB of memory; the most that would fit is 1024 MB on a host. "
        "1 host is disabled by an operator."
    )


def test_nearest_miss_when_every_host_fails_twice():
    table = make_table(make_host("a"), make_host("b"))
    assert choose(table, make_request(memory_mb=99999, disk_gb=999)).nearest_miss == (
        "Every host fails 2 rules or more. "
        "2 hosts lack 99999 MB of memory; the most that would fit is 16384 MB on a host. "
        "2 hosts lack 999 GB of disk; the most that would fit is 200 GB on a host."
    )


def test_empty_table_answers_with_nothing():
    selected = choose(make_table(), make_request(), count=2, alternates=2)
    assert selected.hosts == [[], []]
    assert selected.hosts_total == 0
    assert selected.nearest_miss == "The scheduler knows of no host."


def test_request_for_no_server_is_answered_with_none():
    assert choose(make_table(make_host("a")), make_request(), count=0).hosts == []


class BrokenFilter:
    """A rule with a defect."""

    name = "BrokenFilter"
    after_pick = AfterPick.NOBODY

    def judge(self, hosts: object, request: object) -> None:
        raise ZeroDivisionError("defect")

    def complain(self, hosts: object, request: object, failed: object) -> str:
        return ""


def test_filter_that_raises_fails_the_request_and_nothing_else():
    table = make_table(make_host("a"))
    policy = Policy(filters=(RamFilter(), BrokenFilter()))
    with pytest.raises(FilterFailedError, match="BrokenFilter failed"):
        select_destinations(table, make_request(), 1, 0, np.random.default_rng(1), policy)
    assert first_choices(choose(table, make_request())) == ["a"]


def test_a_thousand_servers_over_ten_thousand_hosts_are_one_quick_decision():
    table = make_table(*(make_host(f"h{i}", vcpus=16 + i % 7, memory_mb=16384 + i % 100) for i in range(10_000)))
    selected = choose(table, make_request(group_policy="anti-affinity"), count=1000, alternates=2)
    assert len(set(first_choices(selected))) == 1000


def test_near_misses_name_the_hosts_that_lack_least_first():
    hosts = [make_host(name, memory_mb=memory) for name, memory in (("a", 512), ("b", 2000), ("c", 1024))]
    table = make_table(*hosts, make_host("d", is_up=False, memory_mb=512))
    (miss,) = choose(table, make_request(memory_mb=2048)).near_misses
    assert (miss.filter, miss.fails, miss.hosts, miss.unit) == ("RamFilter", 1, 3, "MB of memory")
    assert list(zip(miss.nearest, miss.short_by, strict=True)) == [("b", 48), ("c", 1024), ("a", 1536)]


def test_room_is_what_no_other_host_has_all_of_and_other_rules_allow():
    table = make_table(
        make_host("wide", vcpus=32, memory_mb=1024), make_host("deep", vcpus=2, memory_mb=8192),
        make_host("less", vcpus=2, memory_mb=1024), make_host("off", vcpus=99, is_enabled=False),
    )  # fmt: skip
    found = choose(table, make_request(vcpus=64)).room
    assert [(one.vcpus, one.memory_mb) for one in found] == [(32, 1024), (2, 8192)]
    assert choose(table, make_request(vcpus=1)).room == [], "somebody found a host"


def test_reasons_are_bounded_however_many_hosts_there_are():
    hosts = [make_host(f"h{number}", memory_mb=1000 + number, disk_gb=5000 - number) for number in range(2000)]
    selected = choose(make_table(*hosts), make_request(vcpus=99))
    assert len(selected.room) == 12
    assert [len(one.nearest) for one in selected.near_misses] == [5]


def test_weights_say_why_a_host_came_before_its_alternates():
    table = make_table(make_host("a", memory_mb=4096), make_host("b", memory_mb=8192), make_host("c", memory_mb=16384))
    selected = choose(table, make_request(), alternates=2)
    assert selected.hosts == [["c", "b", "a"]]
    scores = [sum(parts) for parts in selected.weights[0]]
    assert scores == sorted(scores, reverse=True)
    assert selected.weighers[0] == "RamWeigher"
    assert selected.weights[0][0][0] == 1.0, "the most memory of all"


def test_weights_of_a_batch_are_those_of_its_beginning():
    table = make_table(make_host("a", memory_mb=4096), make_host("b", memory_mb=16384))
    selected = choose(table, make_request(memory_mb=4096), count=5, alternates=1)
    given = {
        host: tuple(parts)
        for hosts, weights in zip(selected.hosts, selected.weights, strict=True)
        for host, parts in zip(hosts, weights, strict=True)
    }
    assert given == {"a": (0.0, 0.0, 0.0), "b": (1.0, 0.0, 0.0)}
