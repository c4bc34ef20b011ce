"""The running scheduler's table: promises count at once and end, bad reports are left out one by one."""

import json
from typing import Any

import pytest

from contracts.scheduling import ConsiderDestinations, HostState, Question, SelectDestinations, Taken
from scheduler.core.policies import POLICIES
from scheduler.service.entries import Entry, read_entry
from scheduler.service.known_hosts import KnownHosts
from scheduler.service.settings import Settings, SettingsError
from tests.factories.scheduling import first_choices, make_host, make_request


def full_entry(*hosts: HostState) -> Entry:
    return Entry(is_full=True, states=list(hosts), names={host.host for host in hosts})


def ask_for(count: int, **request: Any) -> SelectDestinations:
    ids = [f"operation-{number}" for number in range(count)]
    return SelectDestinations(operation_ids=ids, spec=make_request(**request), attempt=1, alternates=0)


class Clock:
    """A clock that goes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_chosen_counts_for_the_next_request():
    hosts = KnownHosts(promise_seconds=15)
    hosts.apply(full_entry(make_host("a", memory_mb=2048)))
    assert first_choices(hosts.select(ask_for(2, memory_mb=1024))) == ["a", "a"]
    assert first_choices(hosts.select(ask_for(1, memory_mb=1024))) == [""]


def test_what_was_chosen_and_never_claimed_is_free_again():
    clock = Clock()
    hosts = KnownHosts(promise_seconds=15, clock=clock)
    hosts.apply(full_entry(make_host("a", memory_mb=1024)))
    hosts.select(ask_for(1, memory_mb=1024))
    clock.now += 14
    assert first_choices(hosts.select(ask_for(1, memory_mb=1024))) == [""]
    clock.now += 1
    assert first_choices(hosts.select(ask_for(1, memory_mb=1024))) == ["a"]


def test_feed_overrules_what_was_promised():
    clock = Clock()
    hosts = KnownHosts(promise_seconds=15, clock=clock)
    hosts.apply(full_entry(make_host("a", memory_mb=2048)))
    hosts.select(ask_for(1, memory_mb=1024))
    hosts.apply(Entry(states=[make_host("a", generation=2, memory_mb=2048, memory_mb_used=1024)]))
    clock.now += 15
    assert first_choices(hosts.select(ask_for(2, memory_mb=1024))) == ["a", ""], "taken back a second time"


def test_only_a_full_entry_fills_the_table_and_forgets_hosts():
    hosts = KnownHosts(promise_seconds=15)
    hosts.apply(Entry(states=[make_host("a")]))
    assert not hosts.is_filled
    hosts.apply(full_entry(make_host("b")))
    assert hosts.is_filled
    assert hosts.select(ask_for(1)).hosts_total == 1
    assert first_choices(hosts.select(ask_for(1))) == ["b"]


def test_refused_host_in_a_full_entry_keeps_its_last_state():
    hosts = KnownHosts(promise_seconds=15)
    hosts.apply(full_entry(make_host("a"), make_host("b")))
    hosts.apply(full_entry(make_host("a", generation=2, memory_mb=10**15)))
    assert first_choices(hosts.select(ask_for(1))) == ["a"]
    assert hosts.select(ask_for(1)).hosts_total == 1


def wire(*hosts: object) -> bytes:
    return json.dumps([host.to_wire() if isinstance(host, HostState) else host for host in hosts]).encode()


def test_entry_is_read_as_it_was_written():
    entry = read_entry({b"hosts": wire(make_host("a"), make_host("b")), b"full": b"1"})
    assert entry == full_entry(make_host("a"), make_host("b"))
    assert not read_entry({b"hosts": wire(make_host("a")), b"full": b"0"}).is_full


@pytest.mark.parametrize(
    "bad",
    [{"host": "x"}, {"host": "x", "generation": "1"}, {**make_host("x").to_wire(), "vcpus": float("nan")}, 7, None],
)
def test_one_bad_host_does_not_cost_the_others(bad: object):
    entry = read_entry({b"hosts": wire(make_host("a"), bad, make_host("b")), b"full": b"1"})
    assert entry.states == [make_host("a"), make_host("b")]
    assert entry.is_full
    assert len(entry.refused) == 1
    assert entry.names >= {"a", "b"}


@pytest.mark.parametrize("text", [b"", b"{}", b"nonsense", b"\xff", b"[1, 2]"])
def test_unreadable_entry_changes_nothing(text: bytes):
    entry = read_entry({b"hosts": text, b"full": b"1"})
    assert not entry.is_full, "it would forget every host"
    assert entry.states == []
    assert entry.refused


def test_full_entry_of_no_hosts_is_believed():
    assert read_entry({b"hosts": b"[]", b"full": b"1"}).is_full


def test_entry_without_hosts_is_not_believed_to_be_full():
    assert not read_entry({b"full": b"1"}).is_full


def test_settings_come_from_the_environment():
    assert Settings.from_environment({"REDIS_URL": "redis://r:1/2"}).redis_url == "redis://r:1/2"
    assert Settings.from_environment({}) == Settings()


@pytest.mark.parametrize(
    ("placement", "chosen"), [("spread-then-pack", ["a", "b"]), ("spread", ["a", "b"]), ("pack", ["b", "b"])]
)
def test_the_operator_chooses_between_spreading_and_packing(placement: str, chosen: list[str]):
    settings = Settings.from_environment({"NOVELLA_PLACEMENT": placement})
    hosts = KnownHosts(promise_seconds=15, policy=POLICIES[settings.placement])
    hosts.apply(full_entry(make_host("a"), make_host("b", memory_mb_used=512)))
    assert [first_choices(hosts.select(ask_for(1)))[0] for _ in range(2)] == chosen


def test_settings_refuse_an_unknown_placement():
    with pytest.raises(SettingsError, match="one of spread-then-pack, spread, pack, not 'stack'"):
        Settings.from_environment({"NOVELLA_PLACEMENT": "stack"})


def test_settings_refuse_what_is_no_redis():
    with pytest.raises(SettingsError, match="REDIS_URL"):
        Settings.from_environment({"REDIS_URL": "amqp://x"})


def test_what_is_considered_is_promised_to_nobody():
    hosts = KnownHosts(promise_seconds=15)
    hosts.apply(full_entry(make_host("a", memory_mb=2048)))
    question = Question(spec=make_request(memory_mb=1024), count=3)
    for _ in range(3):
        (answer,) = hosts.consider(ConsiderDestinations(questions=[question])).answers
        assert first_choices(answer) == ["a", "a", ""]
    assert first_choices(hosts.select(ask_for(2, memory_mb=1024))) == ["a", "a"]


def test_a_question_takes_what_was_chosen_before_it_as_taken():
    hosts = KnownHosts(promise_seconds=15)
    hosts.apply(full_entry(make_host("a", memory_mb=4096)))
    question = Question(spec=make_request(memory_mb=1024))
    gone = [
        Taken(host="a", vcpus=1, memory_mb=2048, disk_gb=0),
        Taken(host="of another cloud", vcpus=1, memory_mb=1, disk_gb=1),
    ]
    answers = hosts.consider(ConsiderDestinations(questions=[question] * 3, taken=gone)).answers
    assert [first_choices(one) for one in answers] == [["a"], ["a"], [""]]
    assert answers[2].near_misses[0].short_by == [1024]


def test_what_cannot_be_decided_leaves_no_promise():
    hosts = KnownHosts(promise_seconds=15)
    hosts.apply(full_entry(make_host("a", memory_mb=1024)))
    good = Question(spec=make_request(memory_mb=1024))
    bad = Question(spec=make_request(memory_mb="much"))
    answers = hosts.consider(ConsiderDestinations(questions=[good, bad])).answers
    assert answers[1].nearest_miss.startswith("Undecided: ")
    assert first_choices(hosts.select(ask_for(1, memory_mb=1024))) == ["a"]
