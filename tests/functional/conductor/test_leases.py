"""One holder at a time, whoever asks; a new one has a new generation, and what the old one writes late is refused."""

import json
import threading
from collections import Counter
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection, transaction

from cloud.conductor import tasks
from cloud.conductor.leased_scheduler import LEASE, LeasedScheduler
from cloud.conductor.reconcile import operations
from cloud.conductor.schedule import PERIODS, SCHEDULE
from cloud.core import leases
from cloud.core.clock import database_now
from cloud.core.models import Lease
from contracts.conductor import RECONCILE_OPERATIONS


def run_out(name: str) -> None:
    """Let the holder have been paused for longer than its lease."""
    Lease.objects.filter(name=name).update(expires_at=database_now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_lease_has_one_holder_who_may_hold_on_to_it():
    first = leases.take("work", "a", 10)
    assert (first.generation, leases.take("work", "b", 10)) == (1, None)
    assert leases.take("work", "a", 10) == first
    leases.give_back(first)
    assert leases.take("work", "b", 10).generation == 2


@pytest.mark.django_db
def test_who_comes_back_late_finds_another_generation_and_writes_nothing():
    paused = leases.take("work", "a", 10)
    run_out("work")
    assert leases.take("work", "b", 10).generation == 2
    with pytest.raises(leases.LeaseLost), transaction.atomic():
        leases.confirm(paused)
    leases.give_back(paused)
    assert leases.take("work", "c", 10) is None
    assert leases.take("work", "a", 10) is None


@pytest.mark.django_db
def test_a_lease_that_ran_out_and_that_nobody_took_is_still_good_to_write_under():
    held = leases.take("work", "a", 10)
    run_out("work")
    with transaction.atomic():
        leases.confirm(held)
    assert leases.take("work", "a", 10).generation == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_a_lease_at_once_one_gets_it():
    for name, is_known in (("new", False), ("old", True)):
        if is_known:
            leases.take(name, "before", 10)
            run_out(name)
        won: list[leases.Held] = []
        gate = threading.Barrier(6)

        def want(name=name, won=won, gate=gate):
            gate.wait()
            held = leases.take(name, leases.new_holder(), 10)
            if held:
                won.append(held)
            connection.close()

        threads = [threading.Thread(target=want) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(won) == 1
        assert Lease.objects.get(name=name).holder == won[0].holder


@pytest.mark.django_db
def test_of_the_messages_of_a_period_one_does_the_work(monkeypatch):
    runs = []
    monkeypatch.setattr(operations, "reconcile", lambda: runs.append(1))
    monkeypatch.setattr(tasks.losses, "repeat_after_loss", lambda: None)
    for _ in range(3):
        tasks.reconcile_operations()
    assert len(runs) == 1
    left = Lease.objects.get(name=RECONCILE_OPERATIONS).expires_at - database_now()
    assert left.total_seconds() < PERIODS[RECONCILE_OPERATIONS]
    run_out(RECONCILE_OPERATIONS)
    tasks.reconcile_operations()
    assert len(runs) == 2


class Beat:
    """A beat process but for its loop, with everything due."""

    def __init__(self) -> None:
        self.scheduler = LeasedScheduler(app=current_app, max_interval=5)
        for entry in self.scheduler.schedule.values():
            entry.last_run_at = current_app.now() - timedelta(days=1)

    def turn(self) -> None:
        """What a second of its life does: ticks until nothing is due."""
        self.scheduler._renew_at = float("-inf")
        for _ in SCHEDULE:
            self.scheduler.tick()


@pytest.fixture
def sent(redis_server, celery_on):
    """How often each message was sent since the last question."""
    client = redis_server.client()

    def count() -> Counter[str]:
        messages = [json.loads(one) for one in client.lrange("conductor", 0, -1)]
        client.delete("conductor")
        return Counter(one["headers"]["task"] for one in messages)

    with celery_on(redis_server.url):
        current_app.conf.beat_schedule = SCHEDULE
        yield count


@pytest.fixture
def start_beat(sent):
    """Starts beats, and closes their connections."""
    beats = []

    def start() -> Beat:
        beats.append(Beat())
        return beats[-1]

    yield start
    for one in beats:
        if "producer" in vars(one.scheduler):
            one.scheduler.connection.release()


@pytest.mark.django_db(transaction=True)
def test_of_two_beats_one_sends_and_the_other_takes_over(sent, start_beat):
    once = Counter(PERIODS.keys())
    active, standby = start_beat(), start_beat()
    for _ in range(2):
        active.turn()
        standby.turn()
    assert sent() == once
    run_out(LEASE)  # killed
    standby.turn()
    active.turn()  # paused, and back
    assert sent() == once
    assert Lease.objects.get(name=LEASE).generation == 2
    standby.scheduler.close()
    start_beat().turn()
    assert sent() == once
