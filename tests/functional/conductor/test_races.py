"""Conductors, schedulers and users race; the rows stay true."""

import contextlib
import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.services import delete_server, operations, restore_server
from cloud.conductor.audit.auditor import audit
from cloud.conductor.steps import deleting, failing, placing, restoring, soft_deleting
from cloud.core import rpc
from cloud.core.errors import StateConflict
from cloud.identity.services import quotas
from cloud.placement.models import Inventory
from contracts.compute import PowerChanged
from contracts.scheduling import Selected
from tests.factories.instances import PROJECT, make_context, make_host, make_instance

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = 10


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    for name in ("build", "delete", "soft_delete", "restore"):
        monkeypatch.setitem(rpc._workflows, name, lambda ids: [])
    monkeypatch.setattr(rpc, "deliver", lambda row: None)


def at_once(*jobs: Callable[[], object]) -> None:
    """Run jobs in threads that begin together; fail if one raised."""
    barrier, errors = threading.Barrier(len(jobs)), []

    def run(job: Callable[[], object]) -> None:
        barrier.wait()
        try:
            job()
        except Exception as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def create(count: int) -> list[Operation]:
    with transaction.atomic():
        instances = [make_instance() for _ in range(count)]
        quotas.reserve(PROJECT, {"instances": count, "cores": count, "ram": 512 * count})
        return operations.begin(make_context(), instances, "create", "build")


def claim(begun: list[Operation], hosts: list[str]) -> Callable[[], None]:
    selected = Selected(hosts=[hosts] * len(begun), hosts_total=len(hosts))
    return lambda: placing.claim_destinations(selected, [one.id for one in begun], 1)


def delete(operation: Operation) -> None:
    instance = Instance.objects.get(uuid=operation.instance_uuid)
    with transaction.atomic():
        if states.machine.fire(Instance.objects.filter(pk=instance.pk), "delete", updated_at=timezone.now()):
            (begun,) = operations.begin(make_context(), [instance], "delete", "delete")
        else:
            return
    deleting.complete(begun)


@pytest.fixture
def _room(settings):
    settings.CPU_ALLOCATION_RATIO = 1.0
    quotas.set_limits(PROJECT, {"instances": -1, "cores": -1, "ram": -1})
    make_host("a", vcpus=ROOM)
    make_host("b", vcpus=ROOM)


@pytest.mark.usefixtures("_room")
def test_conductors_that_race_for_the_last_places_fill_them_exactly():
    batches = [create(6) for _ in range(4)]
    at_once(*(claim(batch, ["a", "b"] if number % 2 else ["b", "a"]) for number, batch in enumerate(batches)))
    assert set(Inventory.objects.filter(resource_class="VCPU").values_list("used", flat=True)) == {ROOM}
    assert Instance.objects.exclude(host="").count() == 2 * ROOM
    # The other four are scheduled again, with a newer attempt.
    assert Operation.objects.filter(state="running", attempt=2, host="").count() == 4
    assert audit(0) == []


@pytest.mark.usefixtures("_room")
def test_the_same_claim_twice_at_once_is_made_once():
    batch = create(5)
    at_once(*[claim(batch, ["a"])] * 4)
    assert Inventory.objects.get(provider__name="a", resource_class="VCPU").used == 5
    assert audit(0) == []


@pytest.mark.usefixtures("_room")
def test_deletes_that_race_with_claims_and_failures_leave_nothing():
    batches = [create(4) for _ in range(3)]
    doomed = [operation for batch in batches for operation in batch[:3]]
    at_once(
        *(claim(batch, ["a", "b"]) for batch in batches),
        lambda: [delete(operation) for operation in doomed],
        lambda: [delete(operation) for operation in reversed(doomed)],
        lambda: [failing.fail(Operation.objects.get(pk=one.pk), "HypervisorError") for one in doomed],
    )
    assert Instance.objects.filter(uuid__in=[one.instance_uuid for one in doomed], deleted=True).count() == len(doomed)
    assert Instance.objects.filter(deleted=False).exclude(host="").count() == 3
    assert audit(0) == []


_ENDS: dict[str, Callable[[Operation], None]] = {
    "delete": deleting.complete,
    "soft_delete": soft_deleting.complete,
    "restore": lambda operation: restoring.finish_restore(
        PowerChanged(host=operation.host, power_state=1), operation.id, 1
    ),
}  # fmt: skip


def end_all() -> int:
    """Let everything end that is under way; return how much that was."""
    begun = list(Operation.objects.filter(state="running"))
    for one in begun:
        _ENDS[one.workflow](one)
    return len(begun)


@pytest.mark.usefixtures("_room")
def test_servers_kept_restored_and_deleted_at_once_are_counted_as_they_come_out(settings):
    settings.RECLAIM_INSTANCE_INTERVAL = 3600
    batch = create(8)
    claim(batch, ["a"])()
    for one in batch:
        operations.finish(one)
    servers = Instance.objects.order_by("id")
    servers.update(vm_state=states.ACTIVE, task_state=states.IDLE, launched_at=timezone.now())

    def ask(request: Callable[..., object], *, backwards: bool = False) -> None:
        for one in list(servers.reverse() if backwards else servers):
            with contextlib.suppress(StateConflict):
                request(make_context(), one)
            end_all()

    at_once(
        lambda: ask(delete_server.delete),
        lambda: ask(delete_server.delete, backwards=True),
        lambda: ask(restore_server.restore),
        lambda: ask(restore_server.restore, backwards=True),
        lambda: [delete_server.force_delete(make_context(), one) for one in list(servers)[:2]],
    )
    while end_all():
        pass
    assert Instance.objects.filter(deleted=True).count() == 2
    assert set(Instance.objects.filter(deleted=False).values_list("vm_state", "task_state")) <= {
        (states.ACTIVE, states.IDLE), (states.SOFT_DELETED, states.IDLE)
    }  # fmt: skip
    assert audit(0) == []
