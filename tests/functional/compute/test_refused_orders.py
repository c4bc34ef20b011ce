"""What a host refuses to begin tells nothing of the host: the order is given again, and time counts only when heard."""

from datetime import timedelta

import pytest

from cloud.compute.models import Instance, Operation, Service
from cloud.conductor.reconcile import hosts, operations
from cloud.conductor.steps import building, repeating
from cloud.core.clock import database_now
from cloud.core.models import Lease
from contracts.compute import ServerSpawned
from contracts.errors import ErrorCode
from tests.factories.instances import make_host, make_instance
from tests.factories.operations import begin_build, move_to_spawning

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _alone(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    make_host("h1")


@pytest.fixture
def build() -> Operation:
    """A build whose host was told to start the guest, a while ago."""
    server = make_instance(vm_state="building", task_state="spawning", host="h1")
    operation = begin_build(server)
    move_to_spawning(operation)
    long_ago = database_now() - timedelta(seconds=100)
    Operation.objects.update(deadline=long_ago + timedelta(seconds=180), resend_at=long_ago)
    return operation


def answer(operation: Operation, code: str, host: str = "h1") -> Operation:
    outcome = ServerSpawned(host=host, attempt=1, error_code=code, detail="it says why")
    building.finish_spawn(outcome, operation.id, 1)
    return Operation.objects.get()


def test_a_refused_order_is_given_again_to_the_same_host_as_of_now(build):
    now = database_now()
    after = answer(build, ErrorCode.ORDER_REFUSED)
    assert (after.state, after.attempt, after.host, after.hosts_tried) == ("running", 1, "h1", [])
    assert (after.deadline - now).total_seconds() >= 180  # so that the host takes it for sent now
    assert 0 < (after.resend_at - now).total_seconds() < 5
    assert after.steps.get(state="sent").deadline == after.deadline
    assert Instance.objects.get().task_state == "spawning"


def test_a_host_that_refuses_for_ever_has_failed(build):
    build.steps.filter(state="sent").update(sends=repeating._MOST_SENDS)
    after = answer(build, ErrorCode.ORDER_REFUSED)
    assert (after.attempt, after.workflow) == (2, "clear_host")
    assert after.steps.get(name="spawn_server", attempt=1).error_code == ErrorCode.ORDER_REFUSED


def test_a_refusal_of_another_host_or_attempt_changes_nothing(build):
    before = Operation.objects.values().get()
    answer(build, ErrorCode.ORDER_REFUSED, host="h2")
    building.finish_spawn(ServerSpawned(host="h1", error_code=ErrorCode.ORDER_REFUSED), build.id, 7)
    assert Operation.objects.values().get() == before


def test_time_in_which_nobody_listened_does_not_count(build):
    """Redis, the database or every conductor was away for minutes; what the host says of the build waits in a queue."""
    hosts.reconcile()
    past = database_now() - timedelta(seconds=1)
    Lease.objects.update(expires_at=past)
    Operation.objects.update(deadline=past)
    operations.reconcile()
    assert Operation.objects.get().attempt == 1
    hosts.reconcile()
    operations.reconcile()
    found = Operation.objects.get()
    assert (found.attempt, found.state) == (1, "running")
    assert (found.deadline - database_now()).total_seconds() > 170
    Operation.objects.update(deadline=past)
    operations.reconcile()
    assert Operation.objects.get().attempt == 2


def test_what_is_on_a_host_that_was_down_before_ends_as_it_was_to(build):
    hosts.reconcile()
    past = database_now() - timedelta(seconds=1)
    Lease.objects.update(expires_at=past)
    Operation.objects.update(deadline=past)
    Service.objects.update(is_up=False, last_seen_at=past - timedelta(minutes=5))
    hosts.reconcile()
    operations.reconcile()
    assert Operation.objects.get().attempt == 2
