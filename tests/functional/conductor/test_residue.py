"""What a host has of servers that are not its: removed when it is proven dead, never when it may be all there is."""

import pytest

from cloud.conductor.reconcile import residue
from cloud.core.clock import database_now
from cloud.core.models import UnsentOrder
from contracts.conductor import Residue
from tests.factories.instances import make_host, make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    """A server that is on host home, says the database; host away has something of it."""
    make_host("away")
    return make_instance(host=make_host("home"), vm_state="active", task_state="")


def say(host, ago, **things):
    residue.take(Residue(host=host, reported_at=database_now().timestamp() - ago, **things))


def ordered():
    return UnsentOrder.objects.count()


@pytest.mark.parametrize("kind", ["domains", "disks"])
def test_what_may_be_all_there_is_of_a_server_stays(server, kind):
    """As after the database was restored from a backup that is older than the server's move."""
    for ago in (50, 40, 30):
        say("home", ago)
        say("away", ago, **{kind: [server.uuid]})
    assert ordered() == 0
    say("home", 20, disks=[server.uuid])
    say("away", 10, **{kind: [server.uuid]})
    assert ordered() == 1


def test_of_a_host_that_never_said_what_it_has_nothing_is_known(server):
    for ago in (50, 40):
        say("away", ago, domains=[server.uuid], disks=[server.uuid])
    assert ordered() == 0


def test_taps_alone_hold_nothing_that_could_be_lost(server):
    for ago in (50, 40):
        say("away", ago, plugged=[server.uuid])
    assert ordered() == 1


def test_what_a_deleted_server_left_goes_wherever_it_is(server):
    server.deleted = True
    server.save()
    for ago in (50, 40):
        say("away", ago, disks=[server.uuid])
    assert ordered() == 1


def test_what_nobody_knows_stays():
    make_host("away")
    for ago in (50, 40):
        say("away", ago, disks=["5f5a2b0c-5f5a-4f5a-8f5a-5f5a2b0c5f5a"])
    assert ordered() == 0
