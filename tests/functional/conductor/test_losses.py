"""What a dead conductor or a wiped Redis took with it is sent again within seconds, however patient its step is."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import override_settings

from cloud.compute.models import Operation
from cloud.compute.services import operations
from cloud.conductor import background
from cloud.conductor.reconcile.losses import repeat_after_loss, repeat_soon
from cloud.core.clock import database_now
from tests.factories.instances import make_instance
from tests.factories.operations import begin_build

pytestmark = pytest.mark.django_db


@pytest.fixture
def slow_build():
    """A build that nobody would send again for two minutes."""
    operation = begin_build(make_instance())
    Operation.objects.update(resend_at=database_now() + timedelta(seconds=120))
    return operation


def due_in():
    return (Operation.objects.get().resend_at - database_now()).total_seconds()


def test_a_new_conductor_lets_everything_be_sent_again_soon(slow_build):
    assert repeat_soon() == 1
    assert 5 < due_in() <= 10


@pytest.mark.django_db(transaction=True)
def test_who_lets_it_be_sent_again_needs_no_transaction_of_his_own(slow_build):
    assert repeat_soon() == 1


def test_what_is_due_already_is_not_put_off(slow_build):
    Operation.objects.update(resend_at=database_now() - timedelta(seconds=3))
    repeat_soon()
    assert due_in() < -2


def test_what_has_ended_stays_ended(slow_build):
    operations.finish(slow_build)
    assert repeat_soon() == 0
    assert Operation.objects.get().resend_at is None


def test_a_wiped_redis_is_noticed_once(slow_build, redis_server):
    with override_settings(REDIS_URL=redis_server.url):
        repeat_after_loss()
        Operation.objects.update(resend_at=database_now() + timedelta(seconds=120))
        repeat_after_loss()
        assert due_in() > 100
        redis_server.client().flushall()
        repeat_after_loss()
        assert due_in() <= 0


def test_a_redis_that_began_anew_is_noticed(slow_build, redis_server):
    with override_settings(REDIS_URL=redis_server.url):
        repeat_after_loss()
        Operation.objects.update(resend_at=database_now() + timedelta(seconds=120))
        redis_server.stop()
        repeat_after_loss()
        assert due_in() > 100
        redis_server.start()
        repeat_after_loss()
        assert due_in() <= 0


def test_what_the_database_failed_is_sent_again_when_it_answers(slow_build, monkeypatch):
    background.repeat_what_was_lost()
    assert due_in() > 100
    background._lost.set()
    with monkeypatch.context() as patch:
        patch.setattr(Operation.objects, "filter", _away)
        with pytest.raises(OperationalError):
            background.repeat_what_was_lost()
    background.repeat_what_was_lost()
    assert due_in() <= 10
    assert not background._lost.is_set()


def _away(**_):
    raise OperationalError("connection refused")
