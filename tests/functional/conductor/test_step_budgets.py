"""How many statements the steps of a build and of a delete take, so that it cannot creep up."""

import pytest
from django.db import connection, transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.services import operations
from cloud.conductor.steps import building, deleting, placing
from cloud.core import rpc
from cloud.identity.services import quotas
from cloud.networks.models import Network, Subnet
from contracts.compute import ServerDestroyed, ServerSpawned
from contracts.envelope import Outcome
from contracts.scheduling import Selected
from tests.factories.instances import PROJECT, make_context, make_host, make_instance
from tests.fixtures.statements import statements

pytestmark = pytest.mark.django_db
# PostgreSQL is asked for its clock, and for locks that SQLite has with its one writer.
CLAIM = {"sqlite": 19, "postgresql": 20}
PORTS = 5
FINISH = {"sqlite": 5, "postgresql": 7}
READY = {"sqlite": 4, "postgresql": 5}
DELETE = {"sqlite": 24, "postgresql": 27}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    for name in ("build", "delete"):
        monkeypatch.setitem(rpc._workflows, name, lambda ids: [])
    make_host("a", vcpus=64, memory_mb=65536)
    make_host("b", vcpus=64, memory_mb=65536)


@pytest.fixture
def network() -> Network:
    made = Network.objects.create(name="n", project_id=PROJECT)
    pools = [{"start": "10.0.0.2", "end": "10.0.0.250"}]
    Subnet.objects.create(network=made, project_id=PROJECT, cidr="10.0.0.0/24", allocation_pools=pools)
    quotas.set_limits(PROJECT, {"instances": -1, "cores": -1, "ram": -1})
    return made


def begin(network: Network, count: int) -> list[Operation]:
    wanted = {"auto": False, "requests": [{"network_id": network.id}], "security_groups": []}
    with transaction.atomic():
        instances = [make_instance(network_request=wanted) for _ in range(count)]
        quotas.reserve(PROJECT, {"instances": count, "cores": count, "ram": 512 * count})
        return operations.begin(make_context(), instances, "create", "build")


def claim(begun: list[Operation]) -> list[str]:
    selected = Selected(hosts=[["a", "b"]] * len(begun), hosts_total=2)
    with statements() as found:
        placing.claim_destinations(selected, [one.id for one in begun], 1)
    assert Operation.objects.filter(id__in=[one.id for one in begun], host="a").count() == len(begun)
    return found


def check(found: list[str], budget: dict[str, int], more: int = 0) -> None:
    assert len(found) <= budget[connection.vendor] + more, f"{len(found)}:\n" + "\n".join(found)


@pytest.mark.parametrize("count", [1, 9])
def test_claims(network, count):
    claim(begin(network, 1))  # the first of a project makes its default security group
    check(claim(begin(network, count)), CLAIM, PORTS)


def test_a_host_that_is_ready_goes_on_to_the_guest(network):
    (build,) = begin(network, 1)
    claim([build])
    with statements() as found:
        building.begin_spawn([Outcome(host="a", attempt=1)] * 2, build.id, 1)
    assert Instance.objects.get().task_state == states.SPAWNING
    check(found, READY)
    Operation.objects.update(attempt=2)
    Instance.objects.update(task_state=states.NETWORKING)
    building.begin_spawn([Outcome(host="a", attempt=1)] * 2, build.id, 1)
    assert Instance.objects.get().task_state == states.NETWORKING, "it came too late"


def test_many_that_come_together_cost_one_lock_more_than_one(network):
    builds = begin(network, 9)
    claim(builds)
    builds = list(Operation.objects.all())
    with statements() as found:
        assert building.begin_all(builds)
    check(found, READY)
    with statements() as found:
        assert building.activate_all(builds, 1)
    check(found, FINISH)
    assert set(Instance.objects.values_list("vm_state", "task_state")) == {(states.ACTIVE, states.IDLE)}


def test_the_end_of_a_build_and_of_a_delete(network):
    (build,) = begin(network, 1)
    claim([build])
    with statements() as found:
        building.finish_spawn(ServerSpawned(host="a", attempt=1, power_state=1), build.id, 1)
    assert Instance.objects.get().vm_state == states.ACTIVE
    check(found, FINISH)
    with transaction.atomic():
        assert states.machine.fire(Instance.objects.all(), "delete", updated_at=build.updated_at)
        (delete,) = operations.begin(make_context(), list(Instance.objects.all()), "delete", "delete")
    with statements() as found:
        deleting.finish_delete(ServerDestroyed(host="a", attempt=1), delete.id, delete.attempt)
    assert Instance.objects.get().deleted
    check(found, DELETE)
