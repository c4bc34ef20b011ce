"""evacuate: whose word it needs, what refuses it, and what begins."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from cloud.compute.models import Instance, Migration, Operation, Service
from cloud.images.models import Image
from contracts.conductor import HostReport
from tests.factories.boot import make_flavor
from tests.factories.instances import make_host, make_image
from tests.functional.compute.conftest import fault
from tests.functional.compute.test_server_actions import act, put

OLD = {"evacuate": {"onSharedStorage": False}}
NEW: dict[str, dict] = {"evacuate": {}}


@pytest.fixture
def server(member):
    make_flavor()
    for host in ("h1", "h2"):
        make_host(host)
    body = {"name": "s", "flavorRef": "1", "imageRef": make_image().id}
    uuid = member.post("/servers", {"server": body}).json()["server"]["id"]
    Operation.objects.all().delete()
    put(uuid, host="h1", node="h1")
    return uuid


def silence(host="h1"):
    Service.objects.filter(host=host).update(last_seen_at=Now() - timedelta(minutes=5))


def say_down(admin, *, is_down=True):
    uuid = Service.objects.get(host="h1").uuid
    return admin.at("2.53").put(f"/os-services/{uuid}", {"forced_down": is_down})


@pytest.fixture
def dead(admin, server):
    silence()
    assert say_down(admin).status_code == 200
    return server


def state(uuid):
    row = Instance.objects.get(uuid=uuid)
    return row.vm_state, row.task_state


def test_a_host_that_is_up_is_not_evacuated(admin, server):
    answer = act(admin.at("2.14"), server, NEW)
    assert (answer.status_code, fault(answer)) == (400, "Compute service of h1 is still in use.")
    assert (state(server), Migration.objects.count()) == (("active", ""), 0)


def test_silence_is_no_proof(admin, server):
    silence()
    answer = act(admin.at("2.14"), server, NEW)
    assert answer.status_code == 409
    assert "does not prove that its servers are off" in fault(answer)
    assert "openstack compute service set --down h1 nova-compute" in fault(answer)
    assert (state(server), Migration.objects.count()) == (("active", ""), 0)


def test_a_word_is_void_once_the_host_is_heard(admin, server):
    assert say_down(admin).status_code == 200
    Service.objects.filter(host="h1").update(last_seen_at=Now() + timedelta(seconds=1))
    answer = act(admin.at("2.14"), server, NEW)
    assert answer.status_code == 409
    assert "after it was said to be off" in fault(answer)


def test_whose_word_it_is_stays_on_record(admin, dead):
    service = Service.objects.get(host="h1")
    assert (service.forced_down, service.forced_down_by) == (True, "admin")
    assert service.forced_down_at is not None


def test_an_evacuation_begins(admin, member, dead):
    answer = act(admin.at("2.14"), dead, NEW)
    assert (answer.status_code, answer.content) == (200, b"")
    assert state(dead) == ("active", "rebuilding")
    assert member.get(f"/servers/{dead}").json()["server"]["status"] == "REBUILD"
    operation = Operation.objects.get(action="evacuate")
    assert (operation.workflow, operation.host, operation.plan["is_started"]) == ("evacuate", "", True)
    (row,) = admin.at("2.80").get("/os-migrations?migration_type=evacuation").json()["migrations"]
    assert (row["source_compute"], row["instance_uuid"]) == ("h1", dead)
    assert act(admin.at("2.14"), dead, NEW).status_code == 409
    assert say_down(admin, is_down=False).status_code == 409


@pytest.mark.parametrize(
    ("number", "vm_state", "is_started"),
    [("2.14", "active", True), ("2.14", "stopped", False), ("2.14", "error", True), ("2.95", "active", False)],
)
def test_what_was_off_stays_off_and_lately_all_does(admin, dead, number, vm_state, is_started):
    put(dead, vm_state)
    assert act(admin.at(number), dead, NEW).status_code == 200
    assert Operation.objects.get(action="evacuate").plan["is_started"] is is_started


@pytest.mark.parametrize(
    ("number", "asked", "status"),
    [
        ("2.1", {"onSharedStorage": False}, 200), ("2.1", {}, 400), ("2.1", {"onSharedStorage": True}, 400),
        ("2.13", {"onSharedStorage": False, "adminPass": "x"}, 200), ("2.14", {"onSharedStorage": False}, 400),
        ("2.14", {"force": True}, 400), ("2.29", {"force": True}, 400), ("2.29", {"force": True, "host": "h2"}, 200),
        ("2.68", {"force": False}, 400), ("2.68", {"host": "h2"}, 200), ("2.68", {"host": "h1"}, 400),
        ("2.68", {"host": "h9"}, 404), ("2.68", {"more": 1}, 400),
    ],
)  # fmt: skip
def test_bodies_by_microversion(admin, dead, number, asked, status):
    answer = act(admin.at(number), dead, {"evacuate": asked})
    assert answer.status_code == status
    assert (Migration.objects.count() == 1) is (status == 200)
    if status == 200 and number in ("2.1", "2.13"):
        assert answer.json()["adminPass"] == asked.get("adminPass", answer.json()["adminPass"])


@pytest.mark.parametrize("columns", [{"vm_state": "resized"}, {"task_state": "rebooting"}, {"vm_state": "paused"}])
def test_states_that_forbid_it(admin, dead, columns):
    put(dead, **columns)
    assert act(admin.at("2.14"), dead, NEW).status_code == 409


def test_without_its_image_nothing_can_be_made(admin, dead):
    Image.objects.all().delete()
    answer = act(admin.at("2.14"), dead, NEW)
    assert (answer.status_code, state(dead)) == (409, ("active", ""))
    assert "is gone" in fault(answer)


def test_members_may_not(member, dead):
    assert act(member.at("2.14"), dead, NEW).status_code == 403


def test_a_host_that_was_forgotten_and_comes_back_is_down_until_it_is_clean(admin, dead):
    from cloud.compute.services import host_reports

    act(admin.at("2.14"), dead, NEW)
    Migration.objects.update(status="done")
    Service.objects.filter(host="h1").delete()
    host_reports.report_host(HostReport(host="h1", reported_at=1.0, vcpus=1, memory_mb=1, disk_gb=1))
    assert Service.objects.get(host="h1").forced_down
