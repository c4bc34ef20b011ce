"""A new host that was off when its server was taken back: what it has is dead, whatever becomes of the revert."""

from datetime import timedelta

import pytest
from django.db import transaction

from cloud.compute.errors import HostNotClean
from cloud.compute.models import Migration, Operation, Service
from cloud.compute.services import host_services, move_server, reset_state
from cloud.conductor.reconcile import residue
from cloud.conductor.steps import reverting
from cloud.core.clock import database_now
from cloud.core.models import UnsentOrder
from contracts.compute import DestroyServer
from contracts.conductor import Residue
from tests.factories.instances import make_context, make_host, make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    """A server that was moved from host home to host away, which is proven off by now."""
    home, away, now = make_host("home"), make_host("away"), database_now()
    server = make_instance(host=away, vm_state="resized", task_state="")
    flavor = {"flavor": server.flavor, "request_spec": server.request_spec}
    Migration.objects.create(
        instance_uuid=server.uuid, project_id=server.project_id, operation_id=server.uuid, migration_type="resize",
        source_compute=home, dest_compute=away, status="finished", before=flavor, after=flavor, vm_state="active",
        created_at=now, updated_at=now,
    )  # fmt: skip
    Service.objects.filter(host=away).update(
        forced_down=True, forced_down_at=now, forced_down_by="somebody", last_seen_at=now - timedelta(minutes=1)
    )
    return server


def revert(server):
    with transaction.atomic():
        move_server.revert(make_context(), server)
    return reverting.leave_new_host(Operation.objects.get())


def say(host, **things):
    residue.take(Residue(host=host, reported_at=database_now().timestamp(), **things))


def removals():
    return [(row.name, row.host) for row in UnsentOrder.objects.filter(name=DestroyServer.NAME)]


def trust():
    host_services.change_service("away", "nova-compute", forced_down=False)


def test_it_is_told_at_once_to_remove_it_and_trusted_once_it_has(server):
    """Although its home has nothing but what it set aside: an operator's word cut the revert short there."""
    assert revert(server)
    reset_state.reset(server, "error")
    say("home", asides=[server.uuid])
    say("away", domains=[server.uuid], disks=[server.uuid], plugged=[server.uuid])
    assert removals() == [(DestroyServer.NAME, "away")]
    with pytest.raises(HostNotClean):
        trust()
    say("away")
    trust()
    assert not Service.objects.get(host="away").forced_down


def test_a_host_that_was_heard_of_is_asked_instead(server):
    Service.objects.filter(host="away").update(last_seen_at=database_now() + timedelta(seconds=1))
    assert not revert(server)
    server.refresh_from_db()
    assert (server.host, Migration.objects.get().left_at) == ("away", None)
