"""A database that goes away in the middle costs a line in the log, a 503 or a repetition; nothing else."""

import logging
import threading
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError

from cloud.compute.models import Operation
from cloud.conductor import background, tasks
from cloud.conductor.steps import errors, power
from cloud.core import rpc
from cloud.core.clock import database_now
from tests.factories.instances import make_instance
from tests.factories.operations import begin_build

LOST = [
    OperationalError("server closed the connection unexpectedly\n\tThis probably means that the server terminated"),
    InterfaceError("connection already closed"),
]


def lost(error):
    def raise_it(*_, **__):
        raise error

    return raise_it


@pytest.fixture
def lines(caplog):
    """What is logged."""
    caplog.set_level(logging.INFO)
    return lambda: caplog.records


def assert_quiet(lines) -> None:
    assert not [one for one in lines() if one.exc_info or one.levelno >= logging.ERROR]


@pytest.mark.parametrize("error", LOST, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("where", ["authenticate", "_validate", "_render"])
def test_a_request_is_answered_503(error, where, client, monkeypatch, lines):
    if where != "authenticate":
        monkeypatch.setattr("cloud.core.http._context", lambda request: None)
        monkeypatch.setattr("cloud.core.policy.enforce", lambda *_: None)
    monkeypatch.setattr(f"cloud.core.http.{where}", lost(error))
    path = "/compute/v2.1/flavors" if where == "authenticate" else "/compute/v2.1"
    response = client.get(path, headers={"X-Auth-Token": "x"})
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["x-compute-request-id"]
    told = [one.getMessage() for one in lines() if "the database could not be reached" in one.getMessage()]
    assert len(told) == 1
    assert "\n" not in told[0]
    assert not [one for one in lines() if one.exc_info]


@pytest.fixture
def build(monkeypatch, db):
    """A build that nobody would send again for two minutes."""
    monkeypatch.setitem(rpc._workflows, "build", lambda ids: [])
    operation = begin_build(make_instance(task_state="scheduling"))
    Operation.objects.update(resend_at=database_now() + timedelta(seconds=120))
    yield operation
    background._lost.clear()


@pytest.mark.parametrize("error", LOST, ids=lambda one: type(one).__name__)
def test_a_step_is_sent_again_when_the_database_answers(error, build, monkeypatch, lines):
    monkeypatch.setattr(power, "finish_power", lost(error))
    result = tasks.finish_power.apply([{}], {"operation_id": build.id, "attempt": 1})
    assert result.state == "FAILURE"
    assert_quiet(lines)
    background.repeat_what_was_lost()
    build.refresh_from_db()
    assert build.state == "running"
    assert build.resend_at < database_now() + timedelta(seconds=11)


def test_so_is_one_that_raised_while_the_database_was_away(build, monkeypatch, lines):
    monkeypatch.setattr(errors, "step_raised", lost(LOST[0]))
    result = tasks.fail_operation.apply(["task"], {"operation_ids": [build.id], "attempt": 1})
    assert result.state == "FAILURE"
    assert_quiet(lines)
    background.repeat_what_was_lost()
    build.refresh_from_db()
    assert build.state == "running"
    assert build.resend_at < database_now() + timedelta(seconds=11)


@pytest.fixture
def thread(monkeypatch):
    """What a conductor does beside its tasks, in a thread that ends with the test."""
    monkeypatch.setattr(background, "_stopping", threading.Event())
    for name in ("recorder", "keeper", "guard", "hoards", "teller"):
        monkeypatch.setattr(background, name, _Idle())
    for name in ("_repeat", "repeat_what_was_lost", "note_conductor", "close_old_connections"):
        monkeypatch.setattr(background, name, lambda: None)
    started: list[threading.Thread] = []

    def start() -> threading.Thread:
        started.append(threading.Thread(target=background._run))
        started[0].start()
        return started[0]

    yield start
    background._stopping.set()
    for one in started:
        one.join(60)


class _Idle:
    """Nothing to do this second."""

    def look(self) -> None:
        pass

    def flush(self) -> None:
        pass


class _Watch:
    """Sees that the broker is back, and cannot write that down the first time."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_done = threading.Event()

    def look(self) -> None:
        self.looks += 1
        if self.looks == 1:
            raise LOST[0]
        self.is_done.set()


def test_the_thread_that_watches_the_broker_outlives_the_database(thread, monkeypatch, lines):
    watch = _Watch()
    monkeypatch.setattr(background, "watch", watch)
    running = thread()
    assert watch.is_done.wait(60)
    assert running.is_alive()
    assert_quiet(lines)
