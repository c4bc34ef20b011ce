"""A database that is there and silent is given up after a while, and used again when it answers."""

import psycopg
import pytest
from django.db import OperationalError, connection

from cloud.core.postgresql import base

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lives in the process that asks it"),
]


@pytest.fixture
def hasty():
    """The thread's connection, with little patience."""
    connection.ensure_connection()
    before, connection.connection.answer_seconds = connection.connection.answer_seconds, 0.3
    yield connection
    connection.close()
    connection.ensure_connection()
    assert connection.connection.answer_seconds == before


def test_a_silent_database_is_given_up(hasty):
    with hasty.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_sleep(5)")  # which is no error for who waits for it


def test_what_answers_in_time_is_waited_for(hasty):
    hasty.connection.answer_seconds = 60
    with hasty.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.1), 7")
        assert cursor.fetchone()[1] == 7


def test_the_next_request_gets_a_new_connection(hasty):
    with hasty.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_sleep(5)")
    hasty.close_if_unusable_or_obsolete()
    with hasty.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.fixture
def checks(hasty, monkeypatch):
    """How often a connection is checked before its next use, as Django does between requests."""
    hasty.health_check_enabled = True
    found = []
    real = hasty.is_usable
    monkeypatch.setattr(hasty, "is_usable", lambda: found.append(1) or real())

    def use() -> int:
        hasty.close_if_unusable_or_obsolete()
        with hasty.cursor() as cursor:
            cursor.execute("SELECT 1")
        return len(found)

    return use


def test_who_answered_a_moment_ago_is_not_asked_whether_he_is_there(hasty, checks):
    checks()
    before = checks()
    assert checks() == before
    hasty.connection.answered_at -= base._FRESH_SECONDS
    assert checks() == before + 1


def test_a_connection_that_ended_is_made_anew_before_its_next_use(hasty, checks):
    checks()
    hasty.connection.close()
    checks()
    hasty.connection.pgconn.finish()
    checks()


def test_a_server_that_ended_it_is_noticed_by_who_rested(hasty, checks):
    checks()
    with psycopg.connect(hasty.connection.info.dsn, password=hasty.connection.info.password, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [hasty.connection.info.backend_pid])
    hasty.connection.answered_at -= base._FRESH_SECONDS
    checks()
