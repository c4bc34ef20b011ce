"""Nonsense before the scheduler: refused with a reason, the next request is decided, and no host is overcommitted."""

import math
from typing import Any

import numpy as np
import pytest

from contracts.scheduling import HostState, RequestSpec, SelectDestinations
from scheduler.core.failures import AbsurdRequestError, FilterFailedError, UndecidedError, WeigherFailedError
from scheduler.core.filters import FILTERS
from scheduler.core.filters.base import AfterPick
from scheduler.core.pipeline import select_destinations
from scheduler.core.policies import Policy
from scheduler.core.sanity import MOST_SERVERS
from scheduler.core.weighers import SPREAD
from scheduler.service.entries import Entry, read_entry
from scheduler.service.known_hosts import KnownHosts
from tests.factories.scheduling import choose, columns_of, first_choices, make_host, make_request, make_table


def known(*hosts: HostState, policy: Policy | None = None) -> KnownHosts:
    found = KnownHosts(promise_seconds=15, policy=policy or Policy())
    found.apply(Entry(is_full=True, states=list(hosts), names={host.host for host in hosts}))
    return found


def ask(count: int = 1, **request: Any) -> SelectDestinations:
    ids = [str(number) for number in range(count)]
    return SelectDestinations(operation_ids=ids, spec=make_request(**request), attempt=1, alternates=0)


@pytest.mark.parametrize(
    "change", [{"vcpus": -1}, {"memory_mb": -(2**40)}, {"disk_gb": 10**30}, {"vcpus": math.nan}, {"vcpus": math.inf}]
)
def test_a_server_of_absurd_size_is_refused(change: dict[str, Any]):
    table = make_table(make_host("a"))
    request = RequestSpec(**{"vcpus": 1, "memory_mb": 1, "disk_gb": 1, **change})
    with pytest.raises(AbsurdRequestError, match="which no machine has"):
        choose(table, request)
    assert first_choices(choose(table, make_request())) == ["a"]


@pytest.mark.parametrize("count", [-1, MOST_SERVERS + 1, 1_000_000])
def test_a_request_for_a_million_servers_is_refused(count: int):
    with pytest.raises(AbsurdRequestError, match=f"{count} servers, of {MOST_SERVERS} at most"):
        choose(make_table(make_host("a")), make_request(), count)


def test_the_largest_request_fills_what_there_is_and_no_more():
    hosts = [make_host(f"h{number}", vcpus=10, memory_mb=10**6, disk_gb=10**6) for number in range(50)]
    chosen = first_choices(choose(make_table(*hosts), make_request(), MOST_SERVERS))
    assert sum(name != "" for name in chosen) == 500
    assert max(chosen.count(host.host) for host in hosts) == 10


def test_who_asks_for_nonsense_is_told_so_and_the_scheduler_goes_on():
    hosts = known(make_host("a"), make_host("b"))
    selected = hosts.select(ask(count=MOST_SERVERS + 1))
    assert selected.nearest_miss.startswith(f"Undecided: one request asks for {MOST_SERVERS + 1} servers")
    assert selected.hosts == [[]] * (MOST_SERVERS + 1)
    assert hosts.select(ask(vcpus=-5)).nearest_miss == "Undecided: a server asks for vcpus=-5, which no machine has."
    assert sorted(first_choices(hosts.select(ask(2)))) == ["a", "b"]


class Broken:
    """A filter or weigher whose defect shows when it is asked for the time `after` the first."""

    name = "Broken"
    after_pick = AfterPick.THAT_HOST
    multiplier = 1.0

    def __init__(self, answer: Any, after: int = 0) -> None:
        self.answer, self.left = answer, after

    def judge(self, hosts: Any, request: RequestSpec) -> Any:
        return self._answer(hosts, np.ones(hosts.size, dtype=np.bool_))

    def weigh(self, hosts: Any, request: RequestSpec) -> Any:
        return self._answer(hosts, np.zeros(hosts.size))

    def _answer(self, hosts: Any, sound: Any) -> Any:
        self.left -= 1
        return sound if self.left >= 0 else self.answer(hosts)


def raises(hosts: Any) -> Any:
    raise ValueError("bad luck")


def numbers(hosts: Any) -> Any:
    return np.full(hosts.size, math.nan)


def too_few(hosts: Any) -> Any:
    return np.ones(hosts.size - 1, dtype=np.bool_)


@pytest.mark.parametrize("answer", [raises, numbers, too_few])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_filter_or_weigher_that_fails_fails_the_request_alone(answer: Any, after: int):
    table = make_table(*(make_host(name, vcpus=4) for name in "abc"))
    before = columns_of(table)
    for policy, failure in (
        (Policy(filters=(*FILTERS, Broken(answer, after))), FilterFailedError),
        (Policy(weighers=(*SPREAD, Broken(answer, after))), WeigherFailedError),
    ):
        with pytest.raises(failure, match="Broken failed"):
            select_destinations(table, make_request(), 9, 1, np.random.default_rng(1), policy)
    assert np.array_equal(columns_of(table).vcpus_free, before.vcpus_free)


def test_a_filter_that_fails_in_the_middle_of_a_batch_leaves_no_promise():
    hosts = known(make_host("a", vcpus=4), policy=Policy(filters=(*FILTERS, Broken(raises, 2))))
    assert hosts.select(ask(4)).nearest_miss == "Undecided: Broken failed: ValueError('bad luck')."
    hosts._policy = Policy()
    assert first_choices(hosts.select(ask(5))) == ["a", "a", "a", "a", ""]


def test_two_hosts_of_one_name_are_one_host():
    hosts = known(make_host("a", vcpus=2), make_host("a", vcpus=3))
    assert first_choices(hosts.select(ask(4))) == ["a", "a", "a", ""]
    twice = b'[{"host":"a","generation":9,"vcpus":1},{"host":"a","generation":9}]'
    hosts.apply(read_entry({b"hosts": twice, b"full": b"1"}))
    assert hosts.select(ask()).hosts_total == 1


def test_totals_that_change_all_the_time_never_overcommit_what_is_known():
    hosts = known(make_host("a", vcpus=4))
    for generation in range(2, 200):
        vcpus = (4, 1000, 0, 2)[generation % 4]
        hosts.apply(Entry(states=[make_host("a", generation=generation, vcpus=vcpus, vcpus_used=2)], names={"a"}))
        placed = sum(name != "" for name in first_choices(hosts.select(ask(6, memory_mb=0, disk_gb=0))))
        assert placed == min(max(vcpus - 2, 0), 6)


def test_every_failure_is_one_that_the_service_answers():
    assert {FilterFailedError, WeigherFailedError, AbsurdRequestError} == set(UndecidedError.__subclasses__())
