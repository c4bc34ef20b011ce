"""An order that nobody waits for is sent, whatever dies or is away between the commit and the broker."""

import json
from datetime import timedelta

import pytest
from django.db import transaction

from cloud.conductor.reconcile import outbox
from cloud.conductor.workflows import ordering
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.models import UnsentOrder
from contracts.compute import DestroyServer
from contracts.conductor import FINISH_DELETE
from tests.fixtures.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)
UUID = "3c8e1f80-6d2f-4f0c-9f1e-0c1a3a0a2b01"


def order(lasts_seconds: float = 180, host: str = "a") -> DestroyServer:
    return DestroyServer(
        operation_id=UUID, step="clean_up", instance_uuid=UUID, host=host, attempt=1,
        not_after=database_now().timestamp() + lasts_seconds,
    )  # fmt: skip


def make_due() -> None:
    UnsentOrder.objects.update(send_at=database_now() - timedelta(seconds=1))


@pytest.fixture
def sent(redis_server, celery_on):
    """The orders in the host's queue."""
    with celery_on(redis_server.url):
        yield lambda: [json.loads(one) for one in redis_server.client().lrange("compute.a", 0, -1)]


def test_an_order_is_a_row_until_the_commit_and_a_message_after_it(sent):
    with transaction.atomic():
        rpc.cast(order())
        assert UnsentOrder.objects.count() == 1
        assert sent() == []
    assert len(sent()) == 1
    assert not UnsentOrder.objects.exists()


def test_an_order_leaves_nothing_in_redis_but_itself(redis_server, sent):
    """A thousand hosts' queues are not declared by whoever writes to them for the first time."""
    rpc.cast(order(host="cast"))
    ordering.order_then(order(host="chain"), FINISH_DELETE).apply_async()
    assert set(redis_server.client().keys()) == {"compute.cast", "compute.chain"}


def test_an_order_of_a_transaction_that_was_rolled_back_is_none(sent):
    with transaction.atomic():
        rpc.cast(order())
        transaction.set_rollback(True)
    assert not UnsentOrder.objects.exists()
    assert sent() == []


def test_who_dies_between_the_commit_and_the_broker_loses_nothing(sent, monkeypatch):
    monkeypatch.setattr(rpc, "deliver", lambda row: None)
    rpc.cast(order())
    monkeypatch.undo()
    assert outbox.reconcile() == 0  # who committed it may be about to send it
    make_due()
    assert outbox.reconcile() == 1
    assert len(sent()) == 1
    assert outbox.reconcile() == 0


def test_a_broker_that_is_away_loses_nothing(redis_server, celery_on):
    with celery_on(f"redis://127.0.0.1:{free_port()}/0"):
        for _ in range(2):
            rpc.cast(order())
        make_due()
        assert outbox.reconcile() == 0
    assert UnsentOrder.objects.count() == 2
    make_due()
    with celery_on(redis_server.url):
        assert outbox.reconcile() == 2
    assert not UnsentOrder.objects.exists()


def test_two_reconcilers_send_once(sent):
    row = outbox.outbox.put(order())
    make_due()
    row.refresh_from_db()
    now = database_now()
    assert outbox.outbox.put_off(row, now)
    assert not outbox.outbox.put_off(row, now)


def test_what_no_host_would_carry_out_any_more_is_given_up(sent):
    outbox.outbox.put(order(lasts_seconds=-1))
    make_due()
    assert outbox.reconcile() == 0
    assert not UnsentOrder.objects.exists()
    assert sent() == []
