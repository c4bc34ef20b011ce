"""Disks that are aside and that nobody wants back: found by the audit, and removed when they were seen twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cloud.compute.models import Migration
from cloud.conductor.audit import hosts
from cloud.conductor.reconcile import residue
from cloud.core.clock import database_now
from cloud.core.models import UnsentOrder
from contracts.compute import DropAside
from contracts.conductor import Residue
from tests.factories.instances import make_host, make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_server():
    """Return a function that makes a server of host `a` which nothing was done to for an hour."""
    made = timezone.now() - timedelta(hours=1)
    make_host("a")

    def make(**columns):
        return make_instance(**{"host": "a", "vm_state": "active", "task_state": "", "updated_at": made, **columns})

    return make


def say_twice(uuid: str, *, is_whole: bool = True) -> None:
    there = [uuid] if is_whole else []
    for seconds_ago in (60, 0):
        at = database_now().timestamp() - seconds_ago
        residue.take(Residue(host="a", reported_at=at, domains=there, disks=there, asides=[uuid]))


def is_removed() -> bool:
    return [row.name for row in UnsentOrder.objects.all()] == [DropAside.NAME]


def is_found() -> bool:
    return any("aside" in str(one) for one in hosts.as_booked("I5"))


def test_beside_a_server_that_is_whole_they_go(make_server):
    """A move on one host was cut short by an operator's word."""
    say_twice(make_server().uuid)
    assert (is_removed(), is_found()) == (True, True)


def test_in_error_without_a_guest_or_in_a_move_they_stay(make_server):
    moving, now = make_server(vm_state="resized"), database_now()
    Migration.objects.create(
        instance_uuid=moving.uuid, operation_id=moving.uuid, migration_type="resize", source_compute="a",
        dest_compute="a", status="finished", before={}, after={}, created_at=now, updated_at=now,
    )  # fmt: skip
    for server, is_whole in ((moving, True), (make_server(vm_state="error"), True), (make_server(), False)):
        say_twice(server.uuid, is_whole=is_whole)
        assert (is_removed(), is_found()) == (False, False)


@pytest.mark.parametrize("is_at_home", [True, False])
def test_elsewhere_they_go_only_when_their_server_has_its_disks_at_home(make_server, is_at_home):
    """An operator's word cut a move short after the new host had let go: what is aside may be all that there is."""
    server = make_server(host=make_host("b"), vm_state="error")
    for seconds_ago in (60, 0):
        at = database_now().timestamp() - seconds_ago
        residue.take(Residue(host="b", reported_at=at, disks=[server.uuid] if is_at_home else []))
        residue.take(Residue(host="a", reported_at=at, asides=[server.uuid]))
    assert (is_removed(), is_found()) == (is_at_home, is_at_home)
