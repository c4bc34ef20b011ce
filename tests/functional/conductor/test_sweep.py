"""The beat alone mends what breaks an invariant, or leaves it to a person; twice is the same as once."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import override_settings

from cloud.compute.models import Discrepancy, Instance, InstanceFault, Migration, Operation
from cloud.conductor.audit.auditor import look
from cloud.conductor.reconcile import operations, reclaim, residue, restored, sweep
from cloud.core.clock import database_now
from cloud.core.models import Lease, UnsentOrder
from cloud.identity.models import QuotaUsage
from cloud.networks.models import Network, Port
from cloud.placement.models import Allocation, Inventory
from contracts.conductor import RECONCILE_OPERATIONS, Residue
from tests.factories.instances import PROJECT, make_host, make_instance
from tests.functional.conductor.breaches import BREACHES, healthy_cloud

pytestmark = pytest.mark.django_db

# What the sweeps leave alone, and why a person must decide.
FOR_A_PERSON = {
    "a host that is promised twice": "which server shall go",
    "a claim of nobody": "records are missing, which proves no death: perhaps there is a server",
}
# What hosts have is judged when they speak: see test_residue_of_restored_databases below and test_lost_guests.py.
OF_HOSTS = {name for name, (broken, _) in BREACHES.items() if broken <= {"I5", "I6"}}


@pytest.fixture(autouse=True)
def broker(redis_server):
    with override_settings(REDIS_URL=redis_server.url):
        yield redis_server


@pytest.fixture
def server(monkeypatch, broker) -> Instance:
    return healthy_cloud(monkeypatch)


def beat() -> None:
    operations.reconcile()
    sweep.sweep()


def rows() -> list[object]:
    """All that a sweep may change."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Instance, Operation, Allocation, Inventory, QuotaUsage, Port, Migration, InstanceFault)
    ]


@pytest.mark.parametrize("name", sorted(set(BREACHES) - OF_HOSTS))
def test_the_beat_alone_mends_every_breach_of_the_books(name, server):
    _, sow = BREACHES[name]
    sow(server)
    broken = look(sweep.BOOKS)
    assert broken
    sweep.sweep()
    assert look(sweep.BOOKS) == broken  # listed first
    assert {str(one) for one in Discrepancy.objects.all()} == {str(one) for one in broken}
    for _ in range(3):
        beat()
    if name in FOR_A_PERSON:
        assert look(sweep.BOOKS)
        assert all(one.command for one in Discrepancy.objects.all())
        return
    settle()
    assert look(sweep.BOOKS) == set()
    before = rows()
    for _ in range(2):
        sweep.sweep()
    assert rows() == before
    assert not Discrepancy.objects.exists()


def settle() -> None:
    """Let what a repair began come to its end, as hosts would."""
    Operation.objects.filter(state="running").update(deadline=database_now())
    for _ in range(2):
        beat()


def test_a_healthy_cloud_is_left_as_it_is(server):
    before = rows()
    for _ in range(3):
        beat()
    assert rows() == before
    assert not Discrepancy.objects.exists()


def test_what_was_under_way_is_forgotten(server):
    QuotaUsage.objects.filter(resource="ram").update(in_use=0)
    sweep.sweep()
    QuotaUsage.objects.filter(resource="ram").update(in_use=512)
    sweep.sweep()
    assert not Discrepancy.objects.exists()
    QuotaUsage.objects.filter(resource="ram").update(in_use=0)
    assert sweep.sweep() == 0


def lose_the_delete(server: Instance) -> None:
    Instance.objects.filter(pk=server.pk).update(task_state="deleting")


def test_a_delete_whose_operation_is_lost_is_begun_again(server):
    lose_the_delete(server)
    for _ in range(2):
        sweep.sweep()
    assert Operation.objects.filter(action="delete", state="running", instance_uuid=server.uuid).count() == 1


def test_a_server_at_rest_again_is_as_its_host_says(server):
    other = make_instance(host="b", vm_state="active", task_state="rebooting")
    Instance.objects.filter(pk=server.pk).update(task_state="powering-off")
    for _ in range(2):
        sweep.sweep()
    assert Instance.objects.get(pk=server.pk).vm_state == "active"
    assert Instance.objects.get(pk=other.pk).vm_state == "error"
    assert "nothing is under way" in InstanceFault.objects.get(instance_uuid=other.uuid).message


@pytest.fixture
def network():
    return Network.objects.create(name="net", project_id=PROJECT)


def make_port(network, server_uuid: str, host: str) -> Port:
    return Port.objects.create(
        network=network, project_id=PROJECT, device_id=server_uuid, device_owner="compute:nova", position=0, host=host,
        is_created_for_server=True, mac_address=f"02:00:00:00:00:{server_uuid[-2:]}",
    )  # fmt: skip


def test_ports_of_deleted_servers_go_and_those_of_unknown_ones_stay(server, network):
    gone = make_instance(deleted=True, vm_state="deleted")
    make_port(network, gone.uuid, "a")
    stranger = make_port(network, "00000000-0000-4000-8000-000000000009", "a")
    for _ in range(3):
        sweep.sweep()
    assert list(Port.objects.all()) == [stranger]


def test_a_port_follows_its_server(server, network):
    port = make_port(network, server.uuid, "b")
    for _ in range(2):
        sweep.sweep()
    port.refresh_from_db()
    assert (port.host, port.status) == ("a", "ACTIVE")


def test_what_does_not_fit_is_left_to_a_person(server):
    Allocation.objects.filter(consumer_uuid=server.uuid).delete()
    Inventory.objects.filter(provider__name="a", resource_class="VCPU").update(used=0, capacity=0)
    for _ in range(3):
        sweep.sweep()
    assert not Allocation.objects.filter(consumer_uuid=server.uuid).exists()
    assert Discrepancy.objects.filter(command__contains="claim").exists()


# A restored or wiped database.


def age(generation: int) -> None:
    Lease.objects.update_or_create(
        name=RECONCILE_OPERATIONS, defaults={"holder": "x", "generation": generation, "expires_at": database_now()}
    )


def say(host: str, seconds_ago: float, **kinds: list[str]) -> None:
    residue.take(Residue(host=host, reported_at=database_now().timestamp() - seconds_ago, **kinds))


def ordered() -> set[tuple[str, str]]:
    return set(UnsentOrder.objects.values_list("host", "name"))


@pytest.fixture
def is_sent(monkeypatch):
    """Orders stay where they are recorded."""
    monkeypatch.setattr("cloud.core.rpc.deliver", lambda row: False)


@pytest.mark.usefixtures("is_sent")
def test_an_older_database_removes_nothing_until_it_is_accepted(server):
    age(100)
    restored.note_turn()
    age(40)
    restored.note_turn()
    gone = make_instance(host="b", deleted=True, vm_state="deleted")
    kept = make_instance(
        host="a", vm_state="soft-delete", task_state="", deleted_at=database_now() - timedelta(days=9)
    )
    QuotaUsage.objects.filter(resource="ram").update(in_use=0)
    say("b", 60, domains=[gone.uuid])
    say("b", 0, domains=[gone.uuid])
    with override_settings(RECLAIM_INSTANCE_INTERVAL=60):
        assert reclaim.reclaim() == 0
        assert [sweep.sweep() for _ in range(2)] == [0, 0]
        assert ordered() == set()
        call_command("accept_database")
        assert reclaim.reclaim() == 1
    assert sweep.sweep() > 0
    say("b", -1, domains=[gone.uuid])
    assert ("b", "compute.v1.destroy_server") in ordered()
    assert not Instance.objects.filter(pk=kept.pk, task_state="").exists()


@pytest.mark.usefixtures("is_sent")
@pytest.mark.parametrize("kind", ["domains", "disks", "plugged", "asides"])
def test_a_wiped_database_removes_nothing(kind, broker):
    make_host("a")
    unknown = "00000000-0000-4000-8000-000000000009"
    say("a", 60, **{kind: [unknown]})
    say("a", 0, **{kind: [unknown]})
    assert ordered() == set()


@pytest.mark.usefixtures("is_sent")
@pytest.mark.parametrize("kind", ["domains", "disks", "asides"])
def test_residue_of_restored_databases_stays_where_its_home_does_not_speak_up(kind, server):
    """The rows say that the server is on a; since they were saved it went to b, and Redis lost its mark as well."""
    say("a", 90, domains=[server.uuid], disks=[server.uuid])  # restored with the rows
    say("b", 60, **{kind: [server.uuid]})
    say("a", 30)
    say("b", 0, **{kind: [server.uuid]})
    assert ordered() == set()
    say("a", -1, domains=[server.uuid], disks=[server.uuid])
    say("b", -2, **{kind: [server.uuid]})
    assert len(ordered()) == 1  # as its home has it, what is elsewhere is dead


def test_a_database_that_went_on_is_no_older_one(server):
    for generation in (5, 6, 9):
        age(generation)
        restored.note_turn()
        assert not restored.is_older()


def test_while_redis_is_away_what_was_known_last_holds(server):
    for generation, is_older in ((9, False), (3, True)):
        age(generation)
        restored.note_turn()
        assert restored.is_older() is is_older
        with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
            assert restored.is_older() is is_older
    restored.accept()
    assert not restored.is_older()
