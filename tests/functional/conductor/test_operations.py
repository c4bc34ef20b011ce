"""Operations are begun with their whole graph, closed once, and deaf to what comes late."""

import pytest

from cloud.compute.models import Operation, Step
from cloud.compute.services import operations
from cloud.compute.services.graphs import GRAPHS
from cloud.conductor.schedule import PERIODS
from cloud.core import rpc
from contracts.conductor import RECONCILE_OPERATIONS
from contracts.errors import ErrorCode
from tests.factories.instances import make_context, make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def launched(monkeypatch):
    """The workflows that were started, instead of a broker."""
    sent: list[tuple[str, list[str]]] = []
    for name in ("build", "delete", "stop", "reboot"):
        monkeypatch.setitem(rpc._workflows, name, lambda ids, name=name: sent.append((name, ids)) or [])
    return sent


def states(operation: Operation) -> dict[str, str]:
    return dict(Step.objects.filter(operation=operation).values_list("name", "state"))


def test_beginning_records_the_whole_graph_and_launches_after_commit(launched, django_capture_on_commit_callbacks):
    context = make_context()
    instances = [make_instance() for _ in range(3)]
    with django_capture_on_commit_callbacks(execute=True):
        begun = operations.begin(context, instances, "create", "build")
        assert launched == []
    assert launched == [("build", [one.id for one in begun])]
    assert [one.instance_uuid for one in begun] == [one.uuid for one in instances]
    assert Step.objects.count() == 18
    row = Operation.objects.get(id=begun[0].id)
    assert (row.state, row.attempt, row.request_id) == ("running", 1, context.request_id)
    assert row.started_at < row.resend_at < row.deadline
    assert states(row)["select_destinations"] == "sent"
    assert states(row)["spawn_server"] == "pending"


RECOVERY_SECONDS = 30.0


@pytest.mark.parametrize("workflow", GRAPHS)
def test_a_first_message_that_was_lost_with_its_process_is_sent_again_in_time(workflow, monkeypatch):
    monkeypatch.setitem(rpc._workflows, workflow, lambda ids: [])
    (operation,) = operations.begin(make_context(), [make_instance()], workflow, workflow)
    waited = (operation.resend_at - operation.started_at).total_seconds()
    assert waited + PERIODS[RECONCILE_OPERATIONS] < RECOVERY_SECONDS


@pytest.mark.parametrize("workflow", ["stop", "snapshot", "rebuild"])
def test_what_the_broker_took_has_the_time_of_its_contract(
    workflow, launched, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setitem(rpc._workflows, workflow, lambda ids: [])
    with django_capture_on_commit_callbacks(execute=True):
        (operation,) = operations.begin(make_context(), [make_instance()], workflow, workflow)
    operation.refresh_from_db()
    waited = (operation.resend_at - operation.started_at).total_seconds()
    assert waited == GRAPHS[workflow][0].timing.resend_seconds


def test_beginning_for_many_costs_few_queries(django_assert_max_num_queries):
    instances = [make_instance() for _ in range(20)]
    with django_assert_max_num_queries(8):
        operations.begin(make_context(), instances, "create", "build")


def test_an_operation_ends_once():
    (operation,) = operations.begin(make_context(), [make_instance()], "stop", "stop")
    assert operations.finish(operation)
    assert not operations.fail(operation, ErrorCode.INTERNAL, "too late")
    row = Operation.objects.get(id=operation.id)
    assert (row.state, row.error_code, row.resend_at) == ("succeeded", "", None)
    assert set(states(row).values()) == {"done"}


def test_a_failure_is_written_where_it_happened():
    (operation,) = operations.begin(make_context(), [make_instance()], "create", "build")
    assert operations.fail(operation, ErrorCode.NO_VALID_HOST, "No valid host was found.", "host a is full")
    step = Step.objects.get(operation=operation, state="failed")
    assert (step.name, step.error_code, step.detail) == ("select_destinations", "NoValidHost", "host a is full")
    assert states(operation)["spawn_server"] == "skipped"


def test_an_older_attempt_cannot_close_a_newer_one():
    (operation,) = operations.begin(make_context(), [make_instance()], "create", "build")
    Operation.objects.update(attempt=2)
    assert not operations.finish(operation)
    assert operations.running([operation.id], 1) == []
    assert len(operations.running([operation.id], 2)) == 1


def test_a_new_operation_closes_what_was_under_way():
    instance = make_instance()
    (build,) = operations.begin(make_context(), [instance], "create", "build")
    (delete,) = operations.begin(make_context(), [instance], "delete", "delete")
    build.refresh_from_db()
    delete.refresh_from_db()
    assert (build.state, build.error_code, build.message) == ("failed", "Superseded", "Superseded by delete.")
    assert delete.state == "running"
