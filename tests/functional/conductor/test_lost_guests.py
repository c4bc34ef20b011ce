"""What a host says twice that it has not is not there: the server is in ERROR, with what to do about it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cloud.compute.models import Instance, InstanceFault
from cloud.conductor.reconcile import residue
from cloud.core.clock import database_now
from contracts.conductor import Residue
from tests.factories.instances import make_host, make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    """A server that was made an hour ago."""
    made = timezone.now() - timedelta(hours=1)
    return make_instance(host=make_host("a"), vm_state="active", task_state="", updated_at=made)


def say(seconds_ago: float, *domains: str) -> None:
    at = database_now().timestamp() - seconds_ago
    residue.take(Residue(host="a", reported_at=at, domains=list(domains), disks=list(domains)))


def state(server) -> str:
    return Instance.objects.get(pk=server.pk).vm_state


def test_a_guest_that_is_missing_twice_is_lost(server):
    say(60)
    assert state(server) == "active"
    say(0)
    assert state(server) == "error"
    assert "hard reboot" in InstanceFault.objects.get(instance_uuid=server.uuid).message


def test_a_guest_that_is_missing_once_is_not(server):
    say(60, server.uuid)
    say(0)
    assert state(server) == "active"


def test_a_server_that_something_is_done_to_is_left_to_that(server):
    Instance.objects.update(task_state="powering-on")
    say(60)
    say(0)
    assert state(server) == "active"


def test_a_server_that_changed_since_the_first_word_is_left_alone(server):
    say(60)
    Instance.objects.update(updated_at=timezone.now())
    say(0)
    assert state(server) == "active"


def test_a_deleted_server_that_is_kept_and_lost_its_disks_says_so_once(server):
    Instance.objects.update(vm_state="soft-delete", deleted_at=timezone.now())
    say(120, server.uuid)
    say(60)
    assert not InstanceFault.objects.exists()
    for seconds_ago in (1, 0):
        say(seconds_ago)
    assert state(server) == "soft-delete"
    assert "cannot be restored" in InstanceFault.objects.get(instance_uuid=server.uuid).message
