"""The host table: newest state wins, absurd states are refused, columns stay dense, promises end."""

import math

import numpy as np
import pytest

from contracts.scheduling import HostState
from scheduler.core.table import MOST_MEMORY_MB, HostTable, RefusedHostError
from scheduler.core.traits import MAX_TRAITS
from tests.factories.scheduling import choose, columns_of, first_choices, make_host, make_request, make_table


def free_memory(table: HostTable, name: str) -> int:
    columns = columns_of(table)
    return int(columns.memory_mb_free[columns.named([name])][0])


def test_newer_state_replaces_older():
    table = make_table(make_host("a", generation=1, memory_mb=100))
    assert table.upsert(make_host("a", generation=2, memory_mb=200))
    assert free_memory(table, "a") == 200
    assert len(table) == 1


def test_older_state_never_replaces_newer():
    table = make_table(make_host("a", generation=5, memory_mb=100))
    assert not table.upsert(make_host("a", generation=4, memory_mb=200))
    assert free_memory(table, "a") == 100


def test_hosts_that_a_snapshot_lacks_are_forgotten_and_the_others_keep_their_columns():
    hosts = [make_host(f"h{i}", memory_mb=100 + i, traits=[f"T{i}"]) for i in range(10)]
    table = make_table(*hosts)

    assert table.keep_only(["h1", "h8", "h9", "unheard-of"]) == 7

    assert len(table) == 3
    for i in (1, 8, 9):
        request = make_request(memory_mb=1, required_traits=[f"T{i}"])
        assert first_choices(choose(table, request)) == [f"h{i}"]
        assert free_memory(table, f"h{i}") == 100 + i
    assert "h0" not in table
    assert table.upsert(make_host("h0", memory_mb=7))
    assert free_memory(table, "h0") == 7


def test_a_host_that_comes_back_has_none_of_its_old_traits():
    table = make_table(make_host("a", traits=["OLD"]))
    table.keep_only([])
    table.upsert(make_host("a"))
    assert choose(table, make_request(required_traits=["OLD"])).hosts == [[]]


@pytest.mark.parametrize(
    "change",
    [
        {"memory_mb": MOST_MEMORY_MB + 1},
        {"vcpus": 10**30},
        {"disk_gb_used": 10**30},
        {"generation": 10**30},
        {"memory_mb": math.nan},
        {"vcpus": math.inf},
        {"host": "../etc"},
        {"host": ""},
        {"host": "a b"},
    ],
)
def test_absurd_state_is_refused_and_the_last_one_kept(change: dict[str, object]):
    table = make_table(make_host("a", memory_mb=100))
    with pytest.raises(RefusedHostError):
        table.upsert(HostState(**{"host": "a", "generation": 2, **change}))  # type: ignore[arg-type]
    assert len(table) == 1
    assert free_memory(table, "a") == 100


def test_negative_numbers_count_as_nothing():
    table = make_table(make_host("a", memory_mb=-5), make_host("b", memory_mb=100, memory_mb_used=-900))
    assert free_memory(table, "a") == 0
    assert free_memory(table, "b") == 100


def test_traits_beyond_the_limit_count_as_absent_and_cost_nothing():
    table = make_table(make_host("a", traits=[f"T{i}" for i in range(MAX_TRAITS + 10)]))
    assert first_choices(choose(table, make_request(required_traits=[f"T{MAX_TRAITS - 1}"]))) == ["a"]
    assert first_choices(choose(table, make_request(required_traits=[f"T{MAX_TRAITS}"]))) == [""]


def test_decision_does_not_change_the_table():
    table = make_table(make_host("a"), make_host("b"))
    before = columns_of(table)
    choose(table, make_request(group_policy="anti-affinity"), count=2)
    after = columns_of(table)
    assert np.array_equal(before.memory_mb_free, after.memory_mb_free)
    assert np.array_equal(before.members, after.members)


def test_promise_counts_until_it_is_taken_back():
    table = make_table(make_host("a", memory_mb=3000))
    request = make_request(memory_mb=1000)
    stamp = table.promise("a", request)
    assert free_memory(table, "a") == 2000
    assert table.take_back("a", request, stamp)
    assert free_memory(table, "a") == 3000


def test_promise_ends_with_the_next_state_of_the_host():
    table = make_table(make_host("a", memory_mb=3000))
    request = make_request(memory_mb=1000)
    stamp = table.promise("a", request)
    table.upsert(make_host("a", generation=2, memory_mb=3000, memory_mb_used=1000))
    assert free_memory(table, "a") == 2000
    assert not table.take_back("a", request, stamp)
    assert free_memory(table, "a") == 2000


def test_promise_on_an_unknown_host_is_nothing():
    assert HostTable().promise("nobody", make_request()) is None
    assert not HostTable().take_back("nobody", make_request(), 1)
