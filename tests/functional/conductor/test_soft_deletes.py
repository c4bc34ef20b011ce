"""Deleted servers that are kept, as they really are: guests on fake hosts, orders through Redis."""

import json
import signal
from datetime import timedelta

import pytest

from cloud.compute.models import Instance, InstanceFault, Operation, Service
from cloud.compute.services.delete_server import delete, force_delete
from cloud.compute.services.restore_server import restore
from cloud.conductor.doctor.mendings import MENDINGS
from cloud.conductor.reconcile import reclaim
from cloud.conductor.steps import soft_deleting
from cloud.core.clock import database_now
from cloud.identity.services import quotas
from cloud.placement.models import Allocation
from compute_agent.drivers.base import PowerState
from tests.factories.instances import PROJECT, make_context, make_image
from tests.functional.conductor.soundness import assert_sound

pytestmark = pytest.mark.usefixtures("nothing_left")
KEPT_SECONDS = 3600


@pytest.fixture(autouse=True)
def _is_kept(settings):
    settings.RECLAIM_INSTANCE_INTERVAL = KEPT_SECONDS


@pytest.fixture
def server(workers):
    (one,) = workers.create(image_ref=make_image().id)
    return workers.wait_for(one, "active")


@pytest.fixture
def kept(workers, server):
    delete(make_context(), server)
    return workers.wait_for(server, "soft-delete")


def power(workers, server) -> PowerState:
    """Return what the host itself holds."""
    path = workers.state_dir / "fake" / server.host / "domains" / f"{server.uuid}.json"
    return PowerState(json.loads(path.read_text())["state"])


def age(server, seconds: float) -> None:
    Instance.objects.filter(pk=server.pk).update(deleted_at=database_now() - timedelta(seconds=seconds))


def test_its_guest_is_off_its_place_is_held_and_its_quota_is_free(workers, kept):
    assert (kept.power_state, bool(kept.deleted_at), kept.deleted) == (4, True, False)
    assert power(workers, kept) is PowerState.SHUTDOWN
    assert Allocation.objects.filter(consumer_uuid=kept.uuid).count() == 3
    assert not any(quotas.usages(PROJECT, ["instances", "cores", "ram"]).values())
    assert_sound(workers)


def test_a_restored_server_runs_and_counts(workers, kept):
    restore(make_context(), kept)
    assert workers.wait_for(kept, "active").deleted_at is None
    assert power(workers, kept) is PowerState.RUNNING
    assert quotas.usages(PROJECT, ["instances"]) == {"instances": 1}


def test_one_that_cannot_be_started_is_kept_and_says_why(workers, kept):
    workers.trouble(kept.host, {"verb": "start", "error": "no memory"})
    age(kept, KEPT_SECONDS - 1)
    restore(make_context(), kept)
    workers.wait_for(kept, "soft-delete")
    assert InstanceFault.objects.get(instance_uuid=kept.uuid).message.startswith("Restore failed: ")
    assert quotas.usages(PROJECT, ["instances"]) == {"instances": 0}
    assert not reclaim.kept_too_long().exists()
    workers.calm()
    restore(make_context(), kept)
    workers.wait_for(kept, "active")


def test_a_guest_that_cannot_be_stopped_is_kept_running(workers, server):
    workers.trouble(server.host, {"verb": "request_shutdown", "error": "no"}, {"verb": "power_off", "error": "no"})
    delete(make_context(), server)
    workers.wait_for(server, "active")
    assert InstanceFault.objects.get(instance_uuid=server.uuid).message.startswith("Delete failed: ")
    assert power(workers, server) is PowerState.RUNNING


def test_the_oldest_are_deleted_once_when_their_time_is_over(workers, kept):
    age(kept, KEPT_SECONDS - 60)
    assert reclaim.reclaim() == 0
    age(kept, KEPT_SECONDS)
    assert [reclaim.reclaim(), reclaim.reclaim()] == [1, 0]
    workers.wait_for(kept, "deleted")
    assert Operation.objects.filter(instance_uuid=kept.uuid, workflow="delete").count() == 1
    assert kept.uuid not in workers.domains()


def test_a_cloud_that_stops_keeping_deletes_nothing_by_itself(kept, settings):
    settings.RECLAIM_INSTANCE_INTERVAL = 0
    age(kept, 10 * KEPT_SECONDS)
    assert reclaim.reclaim() == 0


def test_what_is_forced_is_gone_at_once(workers, kept):
    force_delete(make_context(), kept)
    workers.wait_for(kept, "deleted")
    assert kept.uuid not in workers.domains()


def test_the_guest_of_a_host_that_was_away_is_stopped_when_it_is_back(workers, server):
    workers.end("agent", signal.SIGKILL)
    workers.hear_out()  # else it may be noted as heard of a moment later
    Service.objects.filter(host=server.host).update(last_seen_at=database_now() - timedelta(minutes=5))
    delete(make_context(), server)
    workers.wait_for(server, "soft-delete")
    assert Operation.objects.get(instance_uuid=server.uuid, action="delete").message == soft_deleting.AWAY_NOTE
    assert power(workers, server) is PowerState.RUNNING
    workers.start("agent")
    workers.wait(lambda: power(workers, server) is PowerState.SHUTDOWN)
    assert Instance.objects.get(pk=server.pk).vm_state == "soft-delete"


def test_what_an_operator_mends_away_is_not_kept(workers, server):
    """After a restore a server may be of the books alone: its host would refuse to switch it off."""
    MENDINGS["delete"].carry_out(server, "")
    workers.wait_for(server, "deleted")
