"""Deleted servers that are kept: what their owners see of them and may do, and what the quota counts."""

import pytest

from cloud.compute.models import Instance, Migration, Operation, ServerGroup, ServerGroupMember
from cloud.conductor.audit import claims
from cloud.core.clock import database_now
from cloud.identity.models import QuotaUsage
from cloud.identity.services import quotas
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image
from tests.functional.compute.conftest import MINE, fault
from tests.functional.compute.hosts import make_host

USED = {"instances": 1, "cores": 1, "ram": 512}
NONE = dict.fromkeys(USED, 0)


@pytest.fixture(autouse=True)
def _is_kept(settings):
    settings.RECLAIM_INSTANCE_INTERVAL = 3600


@pytest.fixture
def server(member):
    make_flavor(vcpus=1, memory_mb=512)
    make_host("h1")
    body = {"server": {"name": "s", "flavorRef": "1", "imageRef": make_image().id}}
    uuid = member.post("/servers", body).json()["server"]["id"]
    put(uuid, vm_state="active", launched_at=database_now())
    return uuid


def put(uuid, vm_state="active", task_state="", host="h1", **columns):
    Instance.objects.filter(uuid=uuid).update(vm_state=vm_state, task_state=task_state, host=host, **columns)


@pytest.fixture
def kept(server):
    """A server that is soft-deleted, and not counted."""
    put(server, vm_state="soft-delete", deleted_at=database_now())
    quotas.release(MINE, USED)
    return server


def act(api, uuid, action, body=None):
    return api.post(f"/servers/{uuid}/action", {action: body})


def state(uuid):
    row = Instance.objects.get(uuid=uuid)
    return row.vm_state, row.task_state


def running():
    return Operation.objects.filter(state="running").values_list("action", "workflow").get()


def used():
    return quotas.usages(MINE, USED)


def test_a_delete_keeps_the_server_and_says_so_at_once(member, server):
    assert member.delete(f"/servers/{server}").status_code == 204
    assert state(server) == ("active", "soft-deleting")
    assert running() == ("delete", "soft_delete")
    assert used() == USED


@pytest.mark.parametrize(
    ("columns", "workflow"),
    [
        ({"vm_state": "stopped"}, "soft_delete"),
        ({"vm_state": "error"}, "soft_delete"),
        ({"vm_state": "paused"}, "soft_delete"),
        ({"vm_state": "active", "task_state": "image_snapshot"}, "soft_delete"),
        ({"vm_state": "active", "task_state": "rebooting_hard"}, "soft_delete"),
        ({"vm_state": "resized"}, "soft_delete"),
        ({"vm_state": "soft-delete", "task_state": "restoring"}, "soft_delete"),
        ({"vm_state": "error", "launched_at": None}, "delete"),
        ({"vm_state": "error", "host": ""}, "delete"),
        ({"vm_state": "building", "task_state": "spawning", "launched_at": None}, "delete"),
        ({"vm_state": "active", "task_state": "rebuilding"}, "delete"),
        ({"vm_state": "active", "task_state": "resize_migrating"}, "delete"),
        ({"vm_state": "resized", "task_state": "resize_reverting"}, "delete"),
    ],
)
def test_what_never_ran_or_is_not_whole_is_deleted_at_once(member, server, columns, workflow):
    put(server, **columns)
    assert member.delete(f"/servers/{server}").status_code == 204
    assert running() == ("delete", workflow)


def test_a_server_in_error_that_may_have_its_disk_elsewhere_is_deleted_at_once(member, server):
    put(server, vm_state="error")
    now = database_now()
    Migration.objects.create(
        instance_uuid=server, project_id=MINE, user_id="u", operation_id="o" * 36, migration_type="resize",
        source_compute="h1", dest_compute="h2", status="post-migrating", vm_state="active", before={}, after={},
        created_at=now, updated_at=now,
    )  # fmt: skip
    member.delete(f"/servers/{server}")
    assert running() == ("delete", "delete")


def test_a_cloud_that_keeps_nothing_deletes_at_once(member, kept, settings):
    settings.RECLAIM_INSTANCE_INTERVAL = 0
    member.delete(f"/servers/{kept}")
    assert running() == ("delete", "delete")


@pytest.mark.parametrize("columns", [
    {"vm_state": "soft-delete"}, {"vm_state": "active", "task_state": "soft-deleting"},
    {"vm_state": "soft-delete", "task_state": "deleting"},
])  # fmt: skip
def test_a_second_delete_changes_nothing(member, kept, columns):
    put(kept, **columns)
    before = Instance.objects.values().get(uuid=kept)
    assert member.delete(f"/servers/{kept}").status_code == 204
    assert Instance.objects.values().get(uuid=kept) == before


def test_a_kept_server_is_shown_by_its_id_and_hidden_in_lists(member, admin, kept):
    shown = member.get(f"/servers/{kept}").json()["server"]
    assert (shown["status"], shown["OS-EXT-STS:vm_state"]) == ("SOFT_DELETED", "soft-delete")
    for query in ("", "?status=ACTIVE", "?status=SOFT_DELETED", "?deleted=true", "?soft_deleted=true"):
        assert names(member, query) == [], query
    assert names(member, "?changes-since=2011-01-01T00:00:00Z") == [kept]
    everybody = "all_tenants=1"
    assert names(admin, f"?{everybody}") == names(admin, f"?{everybody}&deleted=false") == []
    assert names(admin, f"?{everybody}&deleted=true&soft_deleted=false") == []
    for query in ("deleted=true", "soft_deleted=true", "status=SOFT_DELETED", "deleted=true&status=SOFT_DELETED"):
        assert names(admin, f"?{everybody}&{query}") == [kept], query
    assert names(admin, f"?{everybody}&soft_deleted=1&status=ACTIVE") == []


def names(api, query):
    details = [one["id"] for one in api.get(f"/servers/detail{query}").json()["servers"]]
    assert [one["id"] for one in api.get(f"/servers{query}").json()["servers"]] == details
    return details


def test_a_restore_counts_again(member, kept):
    answer = act(member, kept, "restore")
    assert (answer.status_code, answer.content) == (202, b"")
    assert state(kept) == ("soft-delete", "restoring")
    assert running() == ("restore", "restore")
    assert used() == USED
    assert list(claims.counted("I7")) == []


def test_a_restore_over_quota_is_refused_and_changes_nothing(member, kept):
    quotas.set_limits(MINE, {"instances": 0})
    before = Instance.objects.values().get(uuid=kept)
    answer = act(member, kept, "restore")
    assert answer.status_code == 403
    assert "Quota exceeded for instances: Requested 1, but already used 0 of 0" in fault(answer)
    assert Instance.objects.values().get(uuid=kept) == before
    assert used() == NONE
    assert not Operation.objects.filter(action="restore").exists()


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"vm_state": "active"}, "Cannot 'restore' instance {} while it is in vm_state active"),
        ({"vm_state": "soft-delete", "task_state": "restoring"},
         "Cannot 'restore' instance {} while it is in task_state restoring"),
        ({"vm_state": "soft-delete", "task_state": "deleting"},
         "Cannot 'restore' instance {} while it is in task_state deleting"),
        ({"vm_state": "soft-delete", "locked": True}, "Instance {} is locked"),
    ],
)  # fmt: skip
def test_what_cannot_be_restored_is_a_conflict(member, kept, columns, sentence):
    put(kept, **columns)
    answer = act(member, kept, "restore")
    assert answer.status_code == 409
    assert fault(answer) == sentence.format(kept)
    assert used() == NONE


def test_only_its_people_restore_or_delete_a_kept_server(reader, stranger, admin, kept):
    for action in ("restore", "forceDelete"):
        assert act(reader, kept, action).status_code == 403
        assert act(stranger, kept, action).status_code == 404
        assert act(stranger, "zzz", action).status_code == 404
        assert admin.post(f"/servers/{kept}/action", {action: None, "x": 1}).status_code == 400
    assert state(kept) == ("soft-delete", "")
    assert act(admin, kept, "restore").status_code == 202


@pytest.mark.parametrize("columns", [
    {"vm_state": "soft-delete"}, {"vm_state": "active"}, {"vm_state": "error", "host": ""},
    {"vm_state": "active", "task_state": "soft-deleting"}, {"vm_state": "active", "task_state": "resize_migrating"},
])  # fmt: skip
def test_force_delete_deletes_at_once_in_any_state(member, kept, columns):
    put(kept, **columns)
    assert act(member, kept, "forceDelete").status_code == 202
    assert state(kept) == (columns["vm_state"], "deleting")
    assert running() == ("delete", "delete")


def test_a_restore_that_is_given_up_for_a_delete_is_counted_until_that_is_done(member, kept):
    act(member, kept, "restore")
    act(member, kept, "forceDelete")
    assert state(kept) == ("active", "deleting")
    assert used() == USED
    assert list(claims.counted("I7")) == []


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("os-start", None), ("os-stop", None), ("reboot", {"type": "HARD"}), ("createImage", {"name": "copy"}),
        ("resize", {"flavorRef": "2"}), ("confirmResize", None), ("revertResize", None),
        ("rebuild", {"imageRef": "5f5a2b0c-5f5a-4f5a-8f5a-5f5a2b0c5f5a"}),
    ],
)
def test_nothing_else_is_done_to_a_kept_server(member, kept, action, body):
    answer = act(member, kept, action, body)
    assert answer.status_code == 409
    assert "while it is in vm_state soft-delete" in fault(answer)
    assert member.put(f"/servers/{kept}/metadata", {"metadata": {}}).status_code == 409
    assert state(kept) == ("soft-delete", "")


@pytest.mark.parametrize(("action", "body"), [("migrate", None), ("evacuate", {})])
def test_operators_move_no_kept_server_either(admin, kept, action, body):
    answer = act(admin.at("2.95"), kept, action, body)
    assert answer.status_code == 409
    assert "while it is in vm_state soft-delete" in fault(answer)
    assert state(kept) == ("soft-delete", "")


def test_an_operators_word_counts_the_server_again_whatever_its_limit(admin, kept):
    quotas.set_limits(MINE, {"instances": 0})
    assert act(admin, kept, "os-resetState", {"state": "active"}).status_code == 202
    row = Instance.objects.get(uuid=kept)
    assert (row.vm_state, row.task_state, row.deleted_at) == ("active", "", None)
    assert used() == USED
    QuotaUsage.objects.all().delete()
    put(kept, vm_state="soft-delete")
    act(admin, kept, "os-resetState", {"state": "error"})
    assert used() == USED


def test_an_operators_word_on_a_server_being_restored_counts_it_once(member, admin, kept):
    act(member, kept, "restore")
    act(admin, kept, "os-resetState", {"state": "error"})
    assert used() == USED
    assert not Operation.objects.filter(state="running").exists()


def test_a_group_does_not_name_its_kept_members(member, kept):
    body = {"server_group": {"name": "g", "policies": ["anti-affinity"]}}
    group = member.post("/os-server-groups", body).json()["server_group"]["id"]
    ServerGroupMember.objects.create(group=ServerGroup.objects.get(uuid=group), instance_uuid=kept)
    assert member.get(f"/os-server-groups/{group}").json()["server_group"]["members"] == []
    put(kept)
    assert member.get(f"/os-server-groups/{group}").json()["server_group"]["members"] == [kept]
