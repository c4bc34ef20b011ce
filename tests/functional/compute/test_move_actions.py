"""resize, migrate, confirmResize, revertResize: what begins them, and what refuses to."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from cloud.compute.models import Instance, Migration, Operation, Service
from cloud.compute.services.host_services import change_service
from cloud.conductor.steps import failing
from cloud.core import rpc
from cloud.identity.services import quotas
from contracts.errors import ErrorCode
from tests.factories.boot import make_flavor
from tests.factories.instances import make_host, make_image
from tests.functional.compute.conftest import MINE, fault
from tests.functional.compute.test_server_actions import act, put


@pytest.fixture
def server(member):
    make_flavor()
    make_flavor("2", vcpus=4, memory_mb=2048, disk_gb=3, extra_specs={"trait:CUSTOM_FAST": "required"})
    make_flavor("small", disk_gb=0)
    make_flavor("off", is_disabled=True)
    for host in ("h1", "h2"):
        make_host(host)
    body = {"name": "s", "flavorRef": "1", "imageRef": make_image(min_ram=256).id}
    uuid = member.post("/servers", {"server": body}).json()["server"]["id"]
    Operation.objects.all().delete()
    put(uuid, host="h1", node="h1")
    return uuid


def state(uuid):
    row = Instance.objects.get(uuid=uuid)
    return row.vm_state, row.task_state


def test_a_resize_begins_with_both_flavors_on_record(member, server):
    answer = act(member, server, {"resize": {"flavorRef": "2", "OS-DCF:diskConfig": "AUTO"}})
    assert (answer.status_code, answer.content) == (202, b"")
    assert state(server) == ("active", "resize_prep")
    shown = member.get(f"/servers/{server}").json()["server"]
    assert (shown["status"], shown["flavor"]["id"], shown["OS-DCF:diskConfig"]) == ("RESIZE", "1", "AUTO")
    migration = Migration.objects.get(instance_uuid=server)
    assert (migration.before["flavor"]["vcpus"], migration.after["flavor"]["vcpus"]) == (1, 4)
    assert migration.after["request_spec"]["required_traits"] == ["CUSTOM_FAST"]
    assert migration.source_compute == "h1"
    assert quotas.usages(MINE, ["cores"])["cores"] == 4


@pytest.mark.parametrize(
    ("flavor", "status", "sentence"),
    [
        ("1", 400, "When resizing, instances must change flavor!"),
        ("none", 400, "Flavor none could not be found"),
        ("off", 400, "Flavor off could not be found"),
        ("small", 400, "Unable to resize disk down"),
        ("thin", 400, "memory"),
    ],
)
def test_a_flavor_that_does_not_fit_is_refused(member, server, flavor, status, sentence):
    make_flavor("thin", memory_mb=128)
    answer = act(member, server, {"resize": {"flavorRef": flavor}})
    assert answer.status_code == status
    assert sentence in fault(answer)
    assert state(server) == ("active", "")
    assert not Migration.objects.exists()


def test_a_resize_over_quota_is_refused_and_reserves_nothing(member, server):
    quotas.set_limits(MINE, {"cores": 3})
    answer = act(member, server, {"resize": {"flavorRef": "2"}})
    assert answer.status_code == 403
    assert "Quota exceeded for cores" in fault(answer)
    assert (state(server), quotas.usages(MINE, ["cores"])["cores"]) == (("active", ""), 1)


@pytest.mark.parametrize("body", [{"resize": {"flavorRef": "2"}}, {"migrate": None}])
@pytest.mark.parametrize(
    ("columns", "blamed"),
    [({"vm_state": "suspended"}, "vm_state suspended"), ({"task_state": "rebooting"}, "task_state rebooting"),
     ({"vm_state": "error"}, "vm_state error"), ({"vm_state": "resized"}, "vm_state resized")],
)  # fmt: skip
def test_a_server_that_is_not_to_be_moved_now_is_a_conflict(admin, server, body, columns, blamed):
    put(server, **columns)
    answer = act(admin, server, body)
    assert answer.status_code == 409
    assert blamed in fault(answer)
    assert not Migration.objects.exists()


def test_a_locked_server_is_not_moved_by_its_owner(member, server):
    act(member, server, {"lock": None})
    assert act(member, server, {"resize": {"flavorRef": "2"}}).status_code == 409


@pytest.mark.parametrize("verb", ["confirmResize", "revertResize"])
def test_what_was_not_moved_is_neither_confirmed_nor_reverted(member, server, verb):
    answer = act(member, server, {verb: None})
    assert answer.status_code == 409
    assert f"Cannot '{verb}' instance {server} while it is in vm_state active" in fault(answer)
    put(server, vm_state="resized")
    answer = act(member, server, {verb: {}})
    assert answer.status_code == 400
    assert fault(answer) == "Instance has not been resized."


@pytest.mark.parametrize(
    ("verb", "status", "task_state", "word"),
    [("confirmResize", 204, "resize_confirming", "VERIFY_RESIZE"),
     ("revertResize", 202, "resize_reverting", "REVERT_RESIZE")],
)  # fmt: skip
def test_a_moved_server_is_confirmed_or_reverted(member, server, verb, status, task_state, word):
    act(member, server, {"resize": {"flavorRef": "2"}})
    Migration.objects.update(status="finished", dest_compute="h2")
    put(server, vm_state="resized", host="h2")
    # Clients give the verb null or an empty object; Nova takes any value.
    assert act(member, server, {verb: {}}).status_code == status
    assert state(server) == ("resized", task_state)
    assert member.get(f"/servers/{server}").json()["server"]["status"] == word
    operation = Operation.objects.get(action=verb)
    assert operation.host == ("h1" if verb == "confirmResize" else "h2")
    assert act(member, server, {verb: None}).status_code == 409


def begin_revert(member, server):
    act(member, server, {"resize": {"flavorRef": "2"}})
    Migration.objects.update(status="finished", dest_compute="h2")
    put(server, vm_state="resized", host="h2")
    assert act(member, server, {"revertResize": None}).status_code == 202
    return Operation.objects.get(action="revertResize")


@pytest.mark.parametrize(
    ("is_said", "heard_seconds_later", "step", "host"),
    [(True, -300, "take_back_server", "h1"), (True, 60, "vacate_server", "h2"), (False, -300, "vacate_server", "h2")],
)
def test_a_revert_leaves_the_new_host_alone_only_if_that_is_proven_off(
    member, server, is_said, heard_seconds_later, step, host
):
    """Said to be down, and heard since: its guest may run, and a second one must not."""
    operation = begin_revert(member, server)
    if is_said:
        change_service("h2", "nova-compute", forced_down=True, said_by="test")
    Service.objects.filter(host="h2").update(last_seen_at=Now() + timedelta(seconds=heard_seconds_later))
    list(rpc.workflows()["revert_resize"]([operation.id]))
    operation.refresh_from_db()
    assert [one.name for one in operation.steps.filter(state="sent")] == [step]
    assert operation.host == host


@pytest.mark.parametrize(
    ("code", "workflow", "vm_state"),
    [(ErrorCode.ORDER_REFUSED, "revert_resize", "active"), (ErrorCode.DEADLINE_EXCEEDED, "resize", "error")],
)
def test_a_host_that_refuses_to_land_a_server_is_not_away(member, server, code, workflow, vm_state):
    """It was silent for too long, as all are while Redis is away, and says so itself: the server can be taken back."""
    act(member, server, {"resize": {"flavorRef": "2"}})
    Migration.objects.update(status="post-migrating", dest_compute="h2")
    put(server, task_state="resize_finish", host="h2")
    operation = Operation.objects.get(action="resize")
    Operation.objects.update(host="h2")
    operation.steps.filter(name="land_server").update(state="sent", sends=1)
    Service.objects.filter(host="h2").update(last_seen_at=Now() - timedelta(minutes=5))
    operation.refresh_from_db()
    failing.fail(operation, code)
    operation.refresh_from_db()
    assert (operation.workflow, state(server)[0]) == (workflow, vm_state)


@pytest.mark.parametrize(
    ("host", "status", "sentence"),
    [("h1", 400, "The target host can't be the same one."), ("h9", 400, "Compute host h9 could not be found."),
     ("h2", 202, ""), ("a b", 400, "host")],
)  # fmt: skip
def test_an_operator_names_the_host_of_a_migration(admin, member, server, host, status, sentence):
    answer = act(admin.at("2.56"), server, {"migrate": {"host": host}})
    assert answer.status_code == status
    assert status == 202 or sentence in fault(answer)
    assert Operation.objects.filter(plan__requested_host="h2").count() == (status == 202)


def test_operators_list_migrations(admin, member, server):
    act(admin, server, {"migrate": None})
    move = Migration.objects.get(instance_uuid=server)
    (row,) = admin.get("/os-migrations").json()["migrations"]
    assert "uuid" not in row
    assert (row["id"], row["status"], row["dest_compute"]) == (move.id, "pre-migrating", None)
    (row,) = admin.at("2.80").get(f"/os-migrations?instance_uuid={server}&host=h1").json()["migrations"]
    assert (row["uuid"], row["migration_type"], row["project_id"]) == (move.uuid, "migration", MINE)
    for query in ("host=h2", "status=done", "migration_type=resize", "hidden=true", "source_compute=h2"):
        assert admin.at("2.80").get(f"/os-migrations?{query}").json()["migrations"] == []
    page = admin.at("2.59").get("/os-migrations?limit=1").json()
    assert f"marker={move.uuid}" in page["migrations_links"][0]["href"]
    assert admin.at("2.59").get(f"/os-migrations?marker={move.uuid}").json()["migrations"] == []
    assert member.get("/os-migrations").status_code == 403


def test_no_live_migration_is_ever_under_way(admin, member, server):
    assert admin.at("2.23").get(f"/servers/{server}/migrations").json() == {"migrations": []}
    assert admin.at("2.23").get(f"/servers/{server}/migrations/1").status_code == 404
    assert admin.at("2.22").get(f"/servers/{server}/migrations").status_code == 404
    assert member.at("2.23").get(f"/servers/{server}/migrations").status_code == 403
