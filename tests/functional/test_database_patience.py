"""A database that is there and silent is given up after a while, and used again when it answers."""

import pytest
from django.db import OperationalError, connection

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
