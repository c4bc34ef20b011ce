"""What must hold after every test with workers."""

import pytest

from cloud.compute.models import Instance, Operation, Service
from cloud.compute.services import host_feed
from cloud.conductor.reconcile import hosts
from cloud.identity.services import quotas
from cloud.placement.models import Allocation, Inventory
from tests.factories.instances import PROJECT
from tests.functional.conductor.soundness import assert_sound


def are_all_up() -> bool:
    hosts.reconcile()
    return not Service.objects.filter(binary="nova-compute", is_up=False).exists()


@pytest.fixture
def nothing_left(workers):
    """Delete every server at the end, and find nothing of any of them left."""
    workers.wait(are_all_up)
    host_feed.publish_all()  # what the last test gave back may be told to the scheduler a moment later
    yield
    workers.calm()
    workers.wait(are_all_up)  # of a host that is down a server is deleted in the books alone
    living = Instance.objects.filter(deleted=False)
    workers.delete(*living.exclude(task_state="deleting"))
    workers.wait(lambda: not living.exists())
    assert not Allocation.objects.exists()
    assert not Inventory.objects.exclude(used=0).exists()
    assert not any(quotas.usages(PROJECT, ["instances", "cores", "ram"]).values())
    assert not Operation.objects.filter(state="running").exists()
    workers.wait(lambda: not workers.domains())
    assert_sound(workers)
