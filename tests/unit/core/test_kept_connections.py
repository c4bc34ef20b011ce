"""A worker's connection outlives its tasks, and one that failed does not."""

import pytest
from celery import Celery
from django.db import connection

from cloud.core.kept_connections import fixup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def between_tasks(monkeypatch):
    found = fixup(Celery("test", set_as_current=False)).worker_fixup
    return found.close_database


def test_a_connection_is_kept_from_one_task_to_the_next(between_tasks):
    connection.ensure_connection()
    before = connection.connection
    between_tasks()
    assert connection.connection is before


def test_a_connection_that_is_broken_is_not(between_tasks):
    connection.ensure_connection()
    connection.close_at = 0.0
    between_tasks()
    assert connection.connection is None
