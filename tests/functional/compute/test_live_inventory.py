"""The copy of the live cloud that the simulator is given, and what it makes of it."""

import msgspec
import pytest

from cloud.compute.models import Flavor, Instance, ServerGroup
from cloud.compute.services.live_inventory import live_inventory
from cloud.placement.models import Inventory
from scheduler.simulation.what_if.command import tell
from tests.functional.compute.hosts import make_host, make_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_hosts():
    make_host("h1")
    make_host("h2")
    Inventory.objects.filter(resource_class="VCPU").update(allocation_ratio=4.0, capacity=32)
    Flavor.objects.all().delete()
    Flavor.objects.create(
        flavorid="1", name="m1", vcpus=2, memory_mb=1024, disk_gb=10, swap_mb=1, extra_specs={"trait:HW_A": "forbidden"}
    )
    Flavor.objects.create(flavorid="2", name="gone", vcpus=2, memory_mb=1024, is_disabled=True)
    return make_server("h1", "p")


def test_it_tells_of_hosts_servers_groups_and_flavors(two_hosts: Instance):
    group = ServerGroup.objects.create(project_id="p", user_id="u", name="g", policy="anti-affinity")
    group.members.create(instance_uuid=two_hosts.uuid)
    make_server("", "p")
    make_server("h2", "p", deleted=True)
    live = live_inventory()
    assert [(one.state.host, one.vcpus, one.vcpu_ratio, one.state.vcpus) for one in live.hosts] == [
        ("h1", 8, 4.0, 32), ("h2", 8, 4.0, 32),
    ]  # fmt: skip
    assert live.hosts[0].memory_mb == 16384 - 512
    assert [(one.uuid, one.host, one.spec.memory_mb, one.group) for one in live.servers] == [
        (two_hosts.uuid, "h1", 1024, group.uuid)
    ]
    assert [(one.name, one.spec.disk_gb) for one in live.flavors] == [("m1", 11)]


def test_the_simulator_reads_it_and_the_cloud_stays_as_it_is(two_hosts: Instance, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        live = live_inventory()
    said = tell(["--what-if", "--lose", "h1", "--ratio", "vcpu=1"], msgspec.json.encode(live))
    assert "servers that would have to move: 1, of which 0 would find no host" in said
    assert said[-1].split() == ["m1", "17", "3"]
    two_hosts.refresh_from_db()
    assert two_hosts.host == "h1"
    assert live_inventory() == live
