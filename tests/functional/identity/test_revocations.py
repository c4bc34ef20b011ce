"""Every process hears of a change, whatever Redis does. Two `_Epoch`s stand for two processes."""

import contextlib

import pytest

from cloud.identity.services import revocations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def away(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def here(settings, redis_server, monkeypatch):
    """A Redis that is there, though the machine may be too busy to let it answer at once."""
    settings.REDIS_URL = redis_server.url
    monkeypatch.setattr(revocations, "_REDIS_TIMEOUT_SECONDS", 60.0)
    revocations._client.cache_clear()
    yield redis_server
    revocations._client.cache_clear()


@pytest.fixture
def other():
    """Another process."""
    return revocations._Epoch()


def test_a_stamp_stays_while_nothing_changes(here, other, django_assert_num_queries):
    first = other.stamp()
    with django_assert_num_queries(0):
        assert other.stamp() == first


def test_a_change_moves_the_stamp_of_every_process(here, other):
    own, its = revocations.stamp(), other.stamp()
    revocations.bump()
    assert revocations.stamp() != own
    assert other.stamp() != its
    assert other.stamp()[0] == revocations.stamp()[0]


def test_without_redis_the_database_tells(away, other):
    own, its = revocations.stamp(), other.stamp()
    revocations.bump()
    assert revocations.stamp() != own
    assert other.stamp() != its


def test_a_wiped_redis_makes_everybody_forget(here, other):
    own, its = revocations.stamp(), other.stamp()
    with contextlib.closing(here.client()) as client:
        client.flushall()
    assert other.stamp() != its
    assert revocations.stamp() != own


def test_a_mark_that_could_not_be_written_is_written_later(here, other, settings, monkeypatch):
    its = other.stamp()
    monkeypatch.setattr(revocations, "_REDIS_PAUSE_SECONDS", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    revocations.bump()
    settings.REDIS_URL = here.url
    assert other.stamp() == its
    revocations.stamp()
    assert other.stamp() != its


def test_a_mark_that_is_never_written_is_found_in_the_database(here, other, settings, monkeypatch):
    its = other.stamp()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    revocations.bump()
    settings.REDIS_URL = here.url
    monkeypatch.setattr(revocations, "_DATABASE_CHECK_SECONDS", 0.0)
    assert other.stamp() != its
