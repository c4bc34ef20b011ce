"""Flower: nothing without the password, workers and tasks with it."""

import base64
import contextlib
import http.client
import json

import psutil
import pytest

from host.environment import generated
from tests.fixtures.clouds import wait_until

PAGES = ("/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks", "/metrics")


def ask(cloud, path, credentials=None, method="GET"):
    """Return status and body."""
    header = {}
    if credentials:
        header["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", cloud.flower_port, timeout=60)) as connection:
        connection.request(method, path, headers=header)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def get(cloud, path, credentials):
    status, body = ask(cloud, path, credentials)
    assert status == 200, (status, body)
    return body


@pytest.fixture
def credentials(cloud):
    return f"admin:{generated(cloud.settings, 'flower')}"


@pytest.fixture(autouse=True)
def _flower_runs(cloud, credentials):
    def answers():
        try:
            return ask(cloud, "/workers", credentials)[0] == 200
        except ConnectionError:
            return False

    wait_until(answers, "Flower to answer", 120)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("wrong", [None, "admin:", "admin:admin", "nobody:x"])
def test_nothing_is_shown_without_the_password(cloud, path, wrong):
    status, body = ask(cloud, path, wrong)
    assert status == 401
    assert "conductor" not in body


def test_the_password_is_in_no_process_list(cloud, credentials):
    lines = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if credentials.split(":")[1] in line]


def test_workers_are_shown(cloud, credentials):
    def shown():
        return get(cloud, "/workers", credentials)

    # Agents take no commands from Flower, and are known by what they do.
    wait_until(lambda: all(name in shown() for name in ("conductor-", "scheduler-", "@fake-001..fake-020")),
               "the workers to be shown", 120)


def test_a_worker_of_the_control_plane_answers_what_it_serves(cloud, credentials):
    def queues():
        workers = json.loads(get(cloud, "/api/workers?refresh=1", credentials))
        return {queue["name"] for worker in workers.values() for queue in worker.get("active_queues", ())}

    # One that is busy at the moment does not answer in the second that Flower gives it.
    expected = {"conductor", "conductor.inbound", "conductor.heard", "conductor.reports", "scheduler"}
    wait_until(lambda: queues() == expected, "the workers to answer", 120)


def test_tasks_are_shown_without_what_tenants_hide_in_user_data(cloud, credentials, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\npassword=hunter2\n")
    made = cloud.show("server", "create", "--image", "tiny", "--flavor", "m1.tiny", "--network", "demo", "--user-data",
                      str(script), "--wait", "f1")
    cloud.openstack("server", "delete", "--wait", "f1")

    def names():
        return {task["name"] for task in json.loads(get(cloud, "/api/tasks", credentials)).values()}

    wanted = {"scheduler.v1.select_destinations", "conductor.v1.finish_spawn", "compute.v1.spawn_server"}
    wait_until(lambda: wanted <= names(), "the tasks to be shown", 90)
    tasks = get(cloud, "/api/tasks", credentials)
    assert made["id"] in tasks
    assert base64.b64encode(script.read_bytes()).decode() not in tasks


CHANGES = (
    "/api/task/revoke/x?terminate=true", "/api/task/apply/conductor.v1.prune",
    "/api/task/async-apply/conductor.v1.prune", "/api/task/send-task/conductor.v1.prune", "/api/task/abort/x",
    "/api/task/rate-limit/conductor.v1.prune?workername={worker}&ratelimit=1",
    "/api/task/timeout/conductor.v1.prune?workername={worker}&soft=1", "/api/worker/shutdown/{worker}",
    "/api/worker/pool/shrink/{worker}?n=4", "/api/worker/queue/cancel-consumer/{worker}?queue=conductor",
)  # fmt: skip


def test_nothing_can_be_changed_with_or_without_the_password(cloud, credentials):
    def conductors():
        return [name for name in json.loads(get(cloud, "/api/workers", credentials)) if name.startswith("conductor-")]

    wait_until(conductors, "the conductor to be shown", 120)
    # One that was killed before may be shown as well.
    for path in (one.format(worker=worker) for worker in conductors() for one in CHANGES):
        assert ask(cloud, path, None, "POST")[0] == 401
        status, body = ask(cloud, path, credentials, "POST")
        assert (status, "for looking only" in body) == (403, True), (path, status, body)
    assert cloud.redis().exists("celery") == 0


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("/api/tasks?limit=abc", 400), ("/api/tasks?sort_by=x", 400), ("/api/task/info/x", 404), ("/worker/x", 404),
     ("/tasks/datatable?draw=x", 400), ("/static/../../etc/passwd", 403)],
)  # fmt: skip
def test_wrong_arguments_are_refused_with_a_sentence(cloud, credentials, path, wanted):
    status, body = ask(cloud, path, credentials)
    assert (status, bool(body)) == (wanted, True)
