"""createImage: an image that is queued at once, and what refuses to make one."""

import pytest

from cloud.compute.models import Instance, Operation
from cloud.conductor.steps import failing, snapshotting
from cloud.identity.services import quotas
from cloud.images.models import Image
from contracts.compute import SnapshotSent
from tests.factories.boot import make_flavor
from tests.factories.instances import make_host, make_image
from tests.functional.compute.conftest import MINE, fault
from tests.functional.compute.test_server_actions import act, put

ASK = {"createImage": {"name": "backup", "metadata": {"k": "v"}}}


@pytest.fixture
def server(member):
    make_flavor()
    make_host("h1")
    base = make_image(min_ram=64, properties={"hw_disk_bus": "ide", "img_signature": "x"})
    body = {"name": "s", "flavorRef": "1", "imageRef": base.id}
    uuid = member.post("/servers", {"server": body}).json()["server"]["id"]
    put(uuid, host="h1", node="h1")
    return uuid


def taken(api, server):
    answer = act(api.at("2.45"), server, ASK)
    assert answer.status_code == 202, answer.content
    return Image.objects.get(id=answer.json()["image_id"]), Operation.objects.get(action="createImage")


def task_state(uuid):
    return Instance.objects.get(uuid=uuid).task_state


def test_the_image_is_queued_with_what_it_inherits(member, server):
    image, operation = taken(member, server)
    base = Image.objects.exclude(id=image.id).get()
    assert (image.status, image.owner, image.name, image.min_ram) == ("queued", MINE, "backup", 64)
    assert (image.disk_format, image.container_format, image.visibility) == ("qcow2", "bare", "private")
    assert image.properties == {
        "hw_disk_bus": "ide", "image_type": "snapshot", "instance_uuid": server, "user_id": "user-1",
        "base_image_ref": base.id, "k": "v",
    }
    assert operation.plan == {"image_id": image.id}
    assert task_state(server) == "image_snapshot"
    assert act(member, server, ASK).status_code == 409


def test_older_clients_find_the_image_in_a_header(member, server):
    answer = act(member, server, ASK)
    assert (answer.status_code, answer.content) == (202, b"")
    image_id = Operation.objects.get(action="createImage").plan["image_id"]
    assert answer.headers["Location"].endswith(f"/image/v2/images/{image_id}")


def test_it_ends_well_only_when_the_image_has_its_data(member, server):
    image, operation = taken(member, server)
    Image.objects.filter(pk=image.pk).update(status="active")
    snapshotting.finish_snapshot(SnapshotSent(host="elsewhere"), operation.id, 1)
    assert task_state(server) == "image_snapshot"
    snapshotting.finish_snapshot(SnapshotSent(host="h1"), operation.id, 1)
    operation.refresh_from_db()
    assert (task_state(server), operation.state) == ("", "succeeded")
    assert Image.objects.filter(id=image.id).exists()


def test_a_host_that_only_says_so_makes_no_image(member, server):
    image, operation = taken(member, server)
    snapshotting.finish_snapshot(SnapshotSent(host="h1"), operation.id, 1)
    operation.refresh_from_db()
    assert (task_state(server), operation.state, operation.error_code) == ("", "failed", "TransferFailed")
    assert not Image.objects.filter(id=image.id).exists()


def test_a_failure_leaves_the_server_as_it_was_and_no_image(member, server):
    image, operation = taken(member, server)
    failing.fail(operation, "HostDiskFull", "no space")
    row = Instance.objects.get(uuid=server)
    assert (row.vm_state, row.task_state) == ("active", "")
    assert not Image.objects.filter(id=image.id).exists()


@pytest.mark.parametrize("end", ["delete", "reset"])
def test_whoever_ends_it_early_removes_the_image(member, admin, server, end):
    image, operation = taken(member, server)
    if end == "delete":
        assert member.delete(f"/servers/{server}").status_code == 204
    else:
        act(admin, server, {"os-resetState": {"state": "active"}})
    operation.refresh_from_db()
    assert operation.error_code == "Superseded"
    assert not Image.objects.filter(id=image.id).exists()


@pytest.mark.parametrize(
    ("body", "columns", "status", "sentence"),
    [
        ({"createImage": {}}, {}, 400, "name"),
        ({"createImage": {"name": ""}}, {}, 400, "name"),
        ({"createImage": {"name": "a", "x": 1}}, {}, 400, "x"),
        ({"createImage": {"name": "a", "metadata": {"k": "v" * 256}}}, {}, 400, "attribute k"),
        ({"createImage": {"name": "a", "metadata": {"k": None}}}, {}, 400, "attribute k"),
        (ASK, {"vm_state": "error"}, 409, "Cannot 'createImage' instance {} while it is in vm_state error"),
        (ASK, {"task_state": "rebooting"}, 409, "Cannot 'createImage' instance {} while it is in task_state rebooting"),
        (ASK, {"host": ""}, 409, "Instance {} is not ready"),
    ],
)  # fmt: skip
def test_what_cannot_be_copied_is_refused(member, server, body, columns, status, sentence):
    put(server, **columns)
    answer = act(member, server, body)
    assert answer.status_code == status
    assert sentence.format(server) in fault(answer)
    assert not Image.objects.filter(name="backup").exists()


def test_more_metadata_than_the_quota_allows_is_refused(member, server):
    quotas.set_limits(MINE, {"metadata_items": 0})
    assert act(member, server, ASK).status_code == 403
    assert task_state(server) == ""
