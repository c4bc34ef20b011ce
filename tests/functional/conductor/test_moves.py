"""Moves as they really run: processes, a real Redis, fake hosts."""

import pytest
from django.db import transaction
from django.test import Client

from cloud.compute.models import Flavor, Instance, InstanceFault, Migration, Operation, Step
from cloud.compute.services import move_server
from cloud.core import context as contexts
from cloud.identity.services import quotas
from cloud.networks.models import Port
from cloud.placement.models import Allocation
from contracts.scheduling import RequestSpec
from tests.factories.boot import make_flavor
from tests.factories.instances import PROJECT, make_context, make_image
from tests.functional.conductor.test_workflows import steps

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def larger(workers):
    yield make_flavor("large", name="large", vcpus=2, memory_mb=1024, disk_gb=2)
    Flavor.objects.filter(flavorid="large").delete()


@pytest.fixture
def server(workers):
    (one,) = workers.create(image_ref=make_image().id)
    return workers.wait_for(one, "active")


def ask(verb, server, *arguments, **more):
    server.refresh_from_db()
    with transaction.atomic():
        verb(make_context(), server, *arguments, **more)


def held(consumer):
    rows = Allocation.objects.filter(consumer_uuid=consumer)
    return {(host, name): used for host, name, used in rows.values_list("provider__name", "resource_class", "used")}


def cores():
    return quotas.usages(PROJECT, ["cores"])["cores"]


def aside(workers):
    return {path.stem for path in (workers.state_dir / "fake").glob("*/storage/asides/*")}


def test_a_resized_server_is_confirmed(workers, server, larger):
    before = cores()
    ask(move_server.resize, server, "large")
    workers.wait_for(server, "resized")
    migration = Migration.objects.get(instance_uuid=server.uuid)
    assert (server.flavor["flavorid"], server.power_state, server.host) == ("large", 1, migration.dest_compute)
    assert migration.status == "finished"
    assert set(held(migration.uuid)) == {(migration.source_compute, name) for name in ("VCPU", "MEMORY_MB", "DISK_GB")}
    assert held(server.uuid)[server.host, "VCPU"] == 2
    assert [name for name, _, state in steps(server, "resize") if state != "done"] == []
    assert cores() == before + 1
    ask(move_server.confirm, server)
    workers.wait_for(server, "active")
    migration.refresh_from_db()
    assert (migration.status, held(migration.uuid)) == ("confirmed", {})
    assert server.flavor["flavorid"] == "large"


def test_a_resized_server_is_reverted(workers, server, larger):
    host, before, claim = server.host, cores(), held(server.uuid)
    ask(move_server.resize, server, "large")
    workers.wait_for(server, "resized")
    ask(move_server.revert, server)
    workers.wait_for(server, "active")
    assert (server.host, server.flavor["vcpus"], server.power_state) == (host, 1, 1)
    assert (held(server.uuid), cores()) == (claim, before)
    migration = Migration.objects.get(instance_uuid=server.uuid)
    assert migration.status == "reverted"
    ends = migration.dest_compute, host
    there = dict(Step.objects.filter(operation__instance_uuid=server.uuid).exclude(host="").values_list("name", "host"))
    assert (there["vacate_server"], there["take_back_server"]) == ends
    assert (there["set_aside_server"], there["send_disks"]) == (host, host)
    assert (there["receive_disks"], there["land_server"]) == (ends[0], ends[0])
    assert [name for name, _, state in steps(server, "revertResize") if state != "done"] == []


def test_a_stopped_server_stays_off_and_keeps_its_addresses(workers, server):
    workers.act(server, "stop", "stop")
    workers.wait_for(server, "stopped")
    source = server.host
    ask(move_server.migrate, server)
    workers.wait_for(server, "resized")
    assert server.host != source
    assert server.power_state == 4
    assert not Port.objects.filter(device_id=server.uuid).exclude(host=server.host).exists()
    ask(move_server.confirm, server)
    workers.wait_for(server, "stopped")


def test_a_migration_goes_where_it_is_told(workers, server):
    target = next(host for host in workers.hosts if host != server.host)
    ask(move_server.migrate, server, target)
    assert workers.wait_for(server, "resized").host == target
    ask(move_server.revert, server)
    workers.wait_for(server, "active")


@pytest.mark.parametrize("verb", ["set_aside", "send_disk", "receive_disk", "land_disks", "start"])
def test_a_move_that_fails_brings_the_server_back(workers, server, larger, verb):
    host, before, claim = server.host, cores(), held(server.uuid)
    others = [one for one in workers.hosts if one != host]
    for one in ([host] if verb in ("set_aside", "send_disk") else others):
        workers.trouble(one, {"verb": verb, "error": "not today"})
    ask(move_server.migrate, server)
    workers.wait(lambda: not Operation.objects.filter(state="running").exists())
    server.refresh_from_db()
    assert (server.vm_state, server.task_state, server.host, server.power_state) == ("active", "", host, 1)
    assert (held(server.uuid), cores()) == (claim, before)
    assert Migration.objects.get(instance_uuid=server.uuid).status == "error"
    operation = Operation.objects.get(instance_uuid=server.uuid, action="migrate")
    assert (operation.state, operation.attempt) == ("failed", 2)
    assert "not today" in operation.detail
    assert InstanceFault.objects.get(instance_uuid=server.uuid).message.startswith("Migrate failed: ")


def test_a_move_that_finds_no_host_leaves_the_server_alone(workers, server):
    make_flavor("huge", name="huge", vcpus=2, memory_mb=999_999, disk_gb=2)
    claim = held(server.uuid)
    ask(move_server.resize, server, "huge")
    workers.wait(lambda: not Operation.objects.filter(state="running").exists())
    server.refresh_from_db()
    assert (server.vm_state, server.task_state, held(server.uuid)) == ("active", "", claim)
    assert "with enough memory" in InstanceFault.objects.get(instance_uuid=server.uuid).message


@pytest.mark.parametrize("verb", ["set_aside", "send_disk", "receive_disk", "land_disks"])
def test_a_server_is_deleted_at_every_moment_of_a_move(workers, server, verb):
    for host in workers.hosts:
        workers.trouble(host, {"verb": verb, "delay_seconds": 600.0})
    ask(move_server.migrate, server)
    names = {"set_aside": "set_aside_server", "send_disk": "send_disks", "receive_disk": "receive_disks",
             "land_disks": "land_server"}  # fmt: skip
    workers.wait(lambda: (names[verb], 1, "sent") in steps(server, "migrate"))
    workers.delete(server)
    workers.calm()
    workers.wait_for(server, "deleted")
    assert not Allocation.objects.exists()


def test_a_moved_server_is_deleted_with_all_that_it_left(workers, server):
    ask(move_server.migrate, server)
    workers.wait_for(server, "resized")
    assert server.uuid in aside(workers)
    workers.delete(server)
    workers.wait_for(server, "deleted")
    workers.wait(lambda: server.uuid not in aside(workers))


@pytest.fixture
def asked(workers, monkeypatch):
    """Ask for a dry run as an administrator of the project, and see that nothing is changed by it."""
    context = make_context(roles=frozenset({"admin", "member", "reader"}))
    monkeypatch.setattr(contexts, "_authenticators", [lambda *_: context])

    def ask_dry(action: str, body: dict) -> dict:
        workers.wait(lambda: not Operation.objects.filter(state="running").exists())
        before = _held_and_begun()
        headers = {"x-auth-token": "t"}
        answer = Client().post("/novella/v1/dry-runs", {action: body}, "application/json", headers=headers)
        assert answer.status_code == 200, answer.content
        assert _held_and_begun() == before
        return answer.json()["dry_run"]

    return ask_dry


def _held_and_begun():
    """What dry runs would leave behind if they left anything."""
    kinds = (Allocation, Instance, Operation, Step, Migration, Port, InstanceFault)
    return {kind: sorted(kind.objects.values_list()) for kind in kinds} | {"used": cores()}


def test_dry_runs_tell_where_a_server_would_go_and_it_goes_there(workers, server, larger, asked):
    (would,) = asked("resize", {"server": server.uuid, "flavor": "large"})["servers"]
    assert would["placed"]
    assert would["host"] in set(workers.hosts) - {server.host}
    target = next(host for host in workers.hosts if host != server.host)
    (would,) = asked("migrate", {"server": server.uuid, "host": target})["servers"]
    assert (would["host"], would["decision"]["hosts"][0]["host"]) == (target, target)
    ask(move_server.migrate, server, target)
    workers.wait_for(server, "resized")
    assert server.host == target


def test_a_dry_run_of_creates_counts_its_own_servers_and_promises_nothing(workers, asked):
    make_flavor("half", name="half", vcpus=1, memory_mb=4096, disk_gb=1)
    body = {"name": "s", "flavorRef": "half", "imageRef": make_image().id, "min_count": 7}
    for _ in range(3):
        run = asked("create", {"server": body})
        assert (run["servers_placed"], run["servers_considered"], run["would_succeed"]) == (6, 7, False)
        hosts = [one["host"] for one in run["servers"]]
        assert {hosts.count(host) for host in workers.hosts} == {2}
    (refused,) = [one for one in run["servers"] if not one["placed"]]
    assert refused["message"] == "No valid host was found. 3 hosts: 3 enabled, 3 up, 0 with enough memory."
    assert {one["short_by"] for one in refused["decision"]["near_misses"][0]["nearest"]} == {4096}
    Flavor.objects.filter(flavorid="half").delete()


def test_a_dry_run_of_a_drain_tells_who_finds_no_place_left(workers, asked):
    full = workers.hosts[0]
    large = [workers.create(1, vcpus=1, request_spec=spec_on(full)) for _ in range(2)]
    others = [workers.create(1, vcpus=1, request_spec=spec_on(host, memory_mb=4608)) for host in workers.hosts[1:]]
    for (one,) in (*large, *others):
        workers.wait_for(one, "active")
    (broken,) = workers.create(1, vcpus=1, request_spec=spec_on(full, memory_mb=512))
    workers.wait_for(broken, "active")
    Instance.objects.filter(pk=broken.pk).update(vm_state="error")
    run = asked("drain", {"host": full})
    assert (run["servers_considered"], run["servers_placed"], run["servers_not_considered"]) == (3, 2, 0)
    found = {one["id"]: one for one in run["servers"]}
    assert {found[one.uuid]["host"] for (one,) in large} == set(workers.hosts[1:]), "one took the place that was left"
    assert "while it is in vm_state error" in found[broken.uuid]["message"]


def spec_on(host, memory_mb=3072):
    return RequestSpec(vcpus=1, memory_mb=memory_mb, disk_gb=1, requested_host=host).to_wire()
