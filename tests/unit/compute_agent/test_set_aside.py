"""What goes to another host is what the guest had last, whatever an earlier move left aside."""

import msgspec
import pytest

from compute_agent.operations.set_aside import set_aside, take_back
from compute_agent.operations.spawn import spawn
from contracts.compute import SetAsideServer, SpawnServer, TakeBackServer
from tests.unit.compute_agent.orders import FakeHost, order, server_spec


@pytest.fixture
def old_and_new():
    """A host with old disks of a server aside, and a guest that runs from new ones: a resize in place, cut short."""
    fake, old = FakeHost(), server_spec()
    spawn(fake.host, order(SpawnServer, old.uuid, server=old))
    set_aside(fake.host, order(SetAsideServer, old.uuid, graceful_seconds=0))
    new = msgspec.structs.replace(old, disk_gb=7)
    fake.storage.create_disks(new)
    spawn(fake.host, order(SpawnServer, new.uuid, server=new))
    return fake, new


def test_the_disks_of_the_guest_take_the_place_of_old_ones(old_and_new):
    fake, new = old_and_new
    set_aside(fake.host, order(SetAsideServer, new.uuid, graceful_seconds=0))
    assert fake.storage.instances_with_disks() == []
    take_back(fake.host, order(TakeBackServer, new.uuid, server=new, is_started=False))
    assert fake.storage._disks[new.uuid].size_gb == 7


def test_once_they_are_aside_a_repetition_leaves_them_there(old_and_new):
    fake, new = old_and_new
    for _ in range(2):
        set_aside(fake.host, order(SetAsideServer, new.uuid, graceful_seconds=0))
    assert fake.storage._asides[new.uuid].size_gb == 7
    assert fake.storage.instances_with_disks() == []
