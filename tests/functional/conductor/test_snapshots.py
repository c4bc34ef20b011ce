"""Snapshots as they really run: a fake host leaves an empty disk with the API."""

import pytest
from django.db import transaction

from cloud.compute.models import Operation
from cloud.compute.services import snapshot_server
from cloud.images.models import Image
from cloud.images.services.images import delete_image
from contracts.compute import SnapshotServer
from tests.factories.instances import make_context, make_image
from tests.fixtures.workers import api_at

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def server(workers, settings, tmp_path):
    settings.IMAGE_STORE, settings.API_URL = tmp_path / "images", f"http://127.0.0.1:{workers.api_port}"
    (one,) = workers.create(image_ref=make_image().id)
    return workers.wait_for(one, "active")


def take(server):
    with transaction.atomic():
        return snapshot_server.snapshot(make_context(), server, "copy", {})


def is_over():
    return not Operation.objects.filter(state="running").exists()


@pytest.mark.parametrize("vm_state", ["active", "stopped"])
def test_a_server_becomes_an_image(workers, server, vm_state):
    if vm_state == "stopped":
        workers.act(server, "stop", "stop")
        workers.wait_for(server, "stopped")
    with api_at(workers.api_port):
        image = take(server)
        workers.wait(is_over)
    workers.wait_for(server, vm_state)
    image.refresh_from_db()
    assert (image.status, image.virtual_size) == ("active", 1024**3)
    delete_image(image)


def test_without_an_api_nothing_is_made(workers, server):
    image = take(server)
    workers.wait(is_over)
    workers.wait_for(server, "active")
    assert not Image.objects.filter(id=image.id).exists()


def test_a_server_is_deleted_while_it_is_copied(workers, server):
    workers.trouble(server.host, {"verb": "copy_root_disk", "delay_seconds": 600.0})
    image = take(server)
    workers.wait(lambda: workers.is_at_work_on(server, SnapshotServer.NAME))
    workers.delete(server)
    workers.wait_for(server, "deleted")
    assert Operation.objects.get(action="createImage", instance_uuid=server.uuid).error_code == "Superseded"
    Image.objects.filter(id=image.id).delete()
