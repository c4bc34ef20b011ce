"""What kills its process every time ends with a named reason; what was at hand with it does not."""

import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from cloud.compute.models import Instance, InstanceFault, Operation, Step
from cloud.compute.services import operations as begun_operations
from cloud.compute.services import tries
from cloud.conductor import background, tasks
from cloud.conductor.reconcile import operations
from cloud.conductor.steps import failing, power
from cloud.core import rpc
from cloud.core.clock import database_now
from contracts.timeouts import FAST
from tests.factories.instances import make_context, make_host, make_instance

GUEST_OFF = {"host": "a", "power_state": 4, "order": "compute.v1.stop_server"}


class Died(BaseException):
    """The process is gone: nothing of ours may catch this."""


def kill(*_):
    raise Died


@pytest.fixture
def stops(monkeypatch, db):
    """Two servers on one host that are being stopped; what is sent of their operations, in lists."""
    sent = []
    monkeypatch.setitem(rpc._workflows, "stop", lambda ids: sent.append(list(ids)) or [])
    make_host("a")
    servers = [make_instance(host="a", vm_state="active", task_state="powering-off") for _ in range(2)]
    found = [begun_operations.begin(make_context(), [one], "stop", "stop")[0] for one in servers]
    sent.clear()
    return found, sent


def later() -> None:
    """Let nothing have moved on for long enough."""
    due = database_now() - timedelta(seconds=1)
    Operation.objects.filter(state="running").update(resend_at=due)


def reconcile() -> bool:
    """Let a conductor reconcile; tell whether it lived."""
    later()
    try:
        operations.reconcile()
    except Died:
        return False
    return True


def hear(operation: Operation) -> bool:
    """Let a conductor hear that the host has stopped the guest; tell whether it lived."""
    try:
        tasks.finish_power(GUEST_OFF, operation_id=operation.id, attempt=1)
    except Died:
        return False
    return True


def begun(operation: Operation) -> int | None:
    return Operation.objects.get(pk=operation.pk).begun


def test_a_first_try_costs_no_write(stops, monkeypatch, django_assert_num_queries):
    (operation, _), _ = stops
    monkeypatch.setattr(power, "_finish", lambda *_: None)
    with django_assert_num_queries(1):
        hear(operation)
    assert begun(operation) is None


def test_a_step_that_dies_three_times_fails_with_its_reason(stops, monkeypatch):
    (guilty, innocent), _ = stops
    monkeypatch.setattr(power, "_finish", kill)
    assert not hear(guilty)
    assert begun(guilty) is None  # nobody counts what was sent once
    for count in range(3):
        assert reconcile()
        assert begun(guilty) == count
        assert not hear(guilty)
    assert hear(guilty)  # nobody begins it any more
    monkeypatch.undo()
    assert hear(innocent)
    assert Operation.objects.get(pk=innocent.pk).state == "succeeded"
    assert reconcile()
    guilty.refresh_from_db()
    assert (guilty.state, guilty.error_code) == ("failed", "Poison")
    assert guilty.detail == "3 processes of the control plane died of it"
    assert "broke down" in InstanceFault.objects.get(instance_uuid=guilty.instance_uuid).message


def test_a_step_that_ends_without_moving_on_is_no_death(stops, monkeypatch):
    (operation, _), _ = stops
    monkeypatch.setattr(power, "_finish", lambda *_: None)
    for _ in range(5):
        assert reconcile()
        assert hear(operation)
    assert begun(operation) == 0


def test_a_step_that_raises_is_no_death_either(stops, monkeypatch):
    (operation, _), _ = stops
    assert reconcile()
    monkeypatch.setattr(power, "_finish", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hear(operation)
    assert begun(operation) == 0


def test_the_end_of_a_try_is_written_down_when_the_database_is_back(stops, monkeypatch):
    (operation, _), _ = stops
    assert reconcile()

    def away(*_):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(power, "_finish", away)
    with monkeypatch.context() as patch:
        patch.setattr(tries, "_take_off", away)
        with pytest.raises(OperationalError, match="closed the connection"):
            hear(operation)
    assert begun(operation) == 1
    background.repeat_what_was_lost()
    assert begun(operation) == 0


def test_copies_in_one_process_count_once(stops):
    (operation, _), _ = stops
    assert reconcile()
    with tries.counted(operation), tries.counted(operation):
        assert begun(operation) == 1
    assert begun(operation) == 0


def test_what_died_once_is_carried_out_alone(stops):
    _, _ = stops
    Operation.objects.update(begun=1)
    suspects = list(Operation.objects.order_by("id"))
    inside = threading.Event()

    def other() -> None:
        mine = tries._Try()
        mine.be_alone()
        inside.set()
        mine.leave()

    with tries.counted():
        assert tries.begin(suspects) == suspects
        thread = threading.Thread(target=other)
        thread.start()
        assert not inside.wait(0.1)
    assert inside.wait(10)
    thread.join()


def test_progress_clears_the_count(stops, monkeypatch):
    (operation, _), _ = stops
    assert reconcile()
    Operation.objects.update(begun=2)
    Operation.objects.filter(pk=operation.pk).update(**begun_operations.due(FAST, database_now()))
    assert begun(operation) is None


def test_what_was_at_hand_when_a_process_died_is_sent_one_a_round(stops):
    (guilty, innocent), sent = stops
    assert reconcile()
    assert [set(ids) for ids in sent] == [{guilty.id, innocent.id}]
    Operation.objects.update(begun=1)
    for _ in range(2):
        sent.clear()
        assert reconcile()
        assert len(sent) == len(sent[0]) == 1


def test_launching_that_kills_the_reconciler_is_counted_by_itself(stops, monkeypatch):
    (guilty, innocent), sent = stops

    def launcher(ids):
        if guilty.id in ids:
            raise Died
        sent.append(ids)
        return []

    monkeypatch.setitem(rpc._workflows, "stop", launcher)
    lived = [reconcile() for _ in range(5)]
    assert lived == [False, False, False, False, True]  # the first time nobody knew of whom it died
    assert [innocent.id] in sent
    assert begun(innocent) == 0
    guilty.refresh_from_db()
    assert (guilty.state, guilty.error_code) == ("failed", "Poison")


def test_ending_that_kills_the_reconciler_is_given_up_too(stops, monkeypatch):
    (guilty, innocent), sent = stops
    monkeypatch.setattr(failing, "fail_power", kill)
    monkeypatch.setitem(failing._PATHS, "stop", failing.FailurePath(kill))
    Operation.objects.filter(pk=guilty.pk).update(deadline=database_now())
    lived = []
    while len(lived) < 10 and Operation.objects.get(pk=guilty.pk).state == "running":
        sent.clear()
        lived.append(reconcile())
        assert [innocent.id] in sent  # before this process dies
    assert lived == [False] * 6 + [True]
    guilty.refresh_from_db()
    assert guilty.error_code == "Poison"
    assert Instance.objects.get(uuid=guilty.instance_uuid).vm_state == "error"
    assert InstanceFault.objects.filter(instance_uuid=guilty.instance_uuid).exists()


class Restarted:
    """A conductor that is started again whenever it dies, as a supervisor does."""

    def __init__(self, workers, poison: str) -> None:
        self._environment = {**workers.environment, "POISON": poison}
        self.deaths = 0
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.functional.conductor.poisoned_conductor"]
        self._process = subprocess.Popen(command, env=self._environment)

    def look(self) -> None:
        if self._process.poll() is not None:
            assert self._process.returncode == 9
            self.deaths += 1
            self._start()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(60)


@pytest.mark.usefixtures("nothing_left")
def test_real_processes_die_of_it_a_bounded_number_of_times(workers):
    servers = workers.create(4)
    for one in servers:
        workers.wait_for(one, "active")
    guilty, *others = servers
    workers.end("conductor")
    conductor = Restarted(workers, guilty.uuid)
    try:
        for one in servers:
            workers.act(one, "stop", "stop")

        def is_over() -> bool:
            conductor.look()
            reconcile()
            return not Operation.objects.filter(state="running").exists()

        workers.wait(is_over, 150)
    finally:
        conductor.end()
        workers.start("conductor")
    for one in others:
        workers.wait_for(one, "stopped")
    operation = Operation.objects.get(instance_uuid=guilty.uuid, action="stop")
    assert (operation.state, operation.error_code) == ("failed", "Poison")
    assert 2 <= conductor.deaths <= 4  # the last one may come when all is over
    assert not Step.objects.filter(operation=operation, state__in=["sent", "pending"]).exists()
