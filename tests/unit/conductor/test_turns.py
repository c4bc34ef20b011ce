"""How many hosts hear in a second of who came, while builds wait: few, and yet each of them in good time."""

from itertools import count

import pytest

from cloud.conductor.telling_networks import beside_builds


def paces(hosts: int) -> list[int]:
    """Return how many are told in each second until nobody waits, if builds wait all the time."""
    told = []
    for second in count():
        if hosts <= 0:
            return told
        told.append(min(hosts, beside_builds(hosts, float(second))))
        hosts -= told[-1]
    raise AssertionError


def test_in_the_first_seconds_few_are_told_however_many_wait():
    for hosts in (10, 1_000, 100_000):
        assert paces(hosts)[:2] == [4, 4]
    assert paces(1_000)[:5] == [4] * 5


@pytest.mark.parametrize("hosts", [1, 20, 100, 500, 1_000])
def test_nobody_waits_for_longer_than_a_minute(hosts):
    assert len(paces(hosts)) <= 61


def test_those_who_wait_are_told_evenly_and_not_at_the_last_moment():
    later = paces(1_000)[5:-1]
    assert max(later) - min(later) <= 1


def test_there_is_a_bound_to_what_is_sent_beside_builds():
    assert max(paces(10_000)) == 25
    assert len(paces(10_000)) <= 405


def test_few_hosts_are_told_no_faster_for_having_waited():
    assert max(paces(200)) == 4
