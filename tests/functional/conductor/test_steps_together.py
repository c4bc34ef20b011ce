"""Builds that come to a step at the same moment go on together, and each as if it had come alone."""

import threading

import pytest
from django.db import connection, transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.services import operations
from cloud.conductor.audit.auditor import audit
from cloud.conductor.steps import building, placing
from cloud.conductor.steps.together import InGroups
from cloud.core import rpc
from cloud.identity.services import quotas
from contracts.compute import ServerSpawned
from contracts.envelope import Outcome
from contracts.scheduling import Selected
from tests.factories.instances import PROJECT, make_context, make_host, make_instance

pytestmark = pytest.mark.django_db(transaction=True)
BUILDS = 6


@pytest.fixture
def launched(monkeypatch, settings) -> list[str]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found: list[str] = []
    monkeypatch.setitem(rpc._workflows, "build", lambda ids: found.extend(ids) or [])
    return found


@pytest.fixture
def builds(launched) -> list[Operation]:
    """Builds whose hosts are claimed and are being made ready."""
    make_host("a", vcpus=BUILDS)
    make_host("b", vcpus=BUILDS)
    with transaction.atomic():
        instances = [make_instance() for _ in range(BUILDS)]
        quotas.reserve(PROJECT, {"instances": BUILDS, "cores": BUILDS, "ram": 512 * BUILDS})
        begun = operations.begin(make_context(), instances, "create", "build")
    hosts = [["a", "b"][number % 2 :] for number in range(BUILDS)]
    placing.claim_destinations(Selected(hosts=hosts, hosts_total=2), [one.id for one in begun], 1)
    launched.clear()
    return list(Operation.objects.order_by("id"))


class Crowd:
    """Threads that come to a step while its turn is taken, so that they go on together once it is free."""

    def __init__(self, step: InGroups) -> None:
        self._step = step
        self._threads: list[threading.Thread] = []

    def run(self, jobs) -> None:
        with self._step._together._turn:
            for job in jobs:
                thread = threading.Thread(target=self._alone, args=(job,))
                thread.start()
                self._threads.append(thread)
            while len(self._step._together._waiting) < len(self._threads):
                threading.Event().wait(0.01)
        for thread in self._threads:
            thread.join()

    def _alone(self, job) -> None:
        try:
            job()
        finally:
            connection.close()


def ready(build: Operation):
    return lambda: building.begin_spawn([Outcome(host=build.host, attempt=1)] * 2, build.id, 1)


def spawned(build: Operation, power_state: int = 1):
    outcome = ServerSpawned(host=build.host, attempt=1, power_state=power_state)
    return lambda: building.finish_spawn(outcome, build.id, 1)


def test_all_go_on_in_one_transaction_and_are_sent_at_once(builds, launched, monkeypatch):
    groups, begin_all = [], building.begin_all
    monkeypatch.setattr(building._begin, "_move", lambda group: groups.append(len(group)) or begin_all(group))
    Crowd(building._begin).run(ready(one) for one in builds)
    assert groups == [BUILDS]
    assert sorted(launched) == [one.id for one in builds]
    assert set(Instance.objects.values_list("task_state", flat=True)) == {states.SPAWNING}


def test_one_that_was_deleted_meanwhile_keeps_back_no_other(builds, launched):
    gone = builds[2]
    Instance.objects.filter(uuid=gone.instance_uuid).update(task_state=states.DELETING)
    Crowd(building._begin).run(ready(one) for one in builds)
    assert sorted(launched) == [one.id for one in builds if one != gone]
    Crowd(building._activate).run(spawned(one) for one in builds)
    assert set(Operation.objects.filter(state=OperationState.RUNNING)) == {gone}
    assert Instance.objects.filter(vm_state=states.ACTIVE).count() == BUILDS - 1
    assert Instance.objects.get(uuid=gone.instance_uuid).task_state == states.DELETING


def test_the_same_message_twice_at_once_is_one(builds, launched):
    twice = [*builds, *builds[:2]]
    Crowd(building._begin).run(ready(one) for one in twice)
    Crowd(building._activate).run(spawned(one) for one in twice)
    assert Instance.objects.filter(vm_state=states.ACTIVE).count() == BUILDS
    assert Operation.objects.filter(state=OperationState.SUCCEEDED).count() == BUILDS
    assert audit(0) == []


def test_each_guest_is_in_the_state_that_its_host_told(builds):
    Crowd(building._begin).run(ready(one) for one in builds)
    Crowd(building._activate).run(spawned(one, 1 + 2 * (number % 2)) for number, one in enumerate(builds))
    found = dict(Instance.objects.values_list("uuid", "power_state"))
    assert found == {one.instance_uuid: 1 + 2 * (number % 2) for number, one in enumerate(builds)}


def test_what_something_died_of_goes_on_alone(builds, monkeypatch):
    groups, begin_all = [], building.begin_all
    monkeypatch.setattr(building._begin, "_move", lambda group: groups.append(len(group)) or begin_all(group))
    Operation.objects.filter(pk=builds[0].pk).update(begun=1)
    ready(builds[0])()
    assert groups == [1]
    assert not building._begin._together._waiting
