"""The workflows as they really run: processes, a real Redis, fake hosts."""

import time
from contextlib import closing

import pytest
from django_celery_results.models import TaskResult

from cloud.compute import reasons
from cloud.compute.models import ComputeNode, Instance, InstanceFault, Operation, ServerGroup, Step
from cloud.conductor.reconcile import operations
from cloud.conductor.steps import errors
from cloud.identity.services import quotas
from cloud.placement.models import Allocation, Inventory
from contracts.compute import DestroyServer, PrepareImage, SpawnServer
from contracts.conductor import CLAIM, FINISH_DELETE, FINISH_SPAWN
from contracts.scheduling import SelectDestinations
from tests.factories.instances import PROJECT, make_image
from tests.fixtures.broker_traffic import watched

pytestmark = pytest.mark.usefixtures("nothing_left")


def steps(instance: Instance, action: str = "create") -> list[tuple[str, int, str]]:
    rows = Step.objects.filter(operation__instance_uuid=instance.uuid, operation__action=action)
    return list(rows.order_by("attempt", "position").values_list("name", "attempt", "state"))


def test_a_server_is_built_stopped_started_rebooted_and_deleted(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    assert server.host in workers.hosts
    assert (server.power_state, bool(server.launched_at), server.availability_zone) == (1, True, "nova")
    (decision,) = reasons.read(Operation.objects.get(instance_uuid=server.uuid).trace)
    assert decision.candidates[0].host == server.host
    assert {one.host for one in decision.candidates} == set(workers.hosts), "the chosen host and its alternates"
    assert Allocation.objects.filter(consumer_uuid=server.uuid).count() == 3
    assert steps(server) == [
        ("select_destinations", 1, "done"), ("claim_destination", 1, "done"), ("prepare_image", 1, "skipped"),
        ("plug_vifs", 1, "skipped"), ("spawn_server", 1, "done"), ("finish", 1, "done"),
    ]  # fmt: skip
    workers.act(server, "stop", "stop")
    assert workers.wait_for(server, "stopped").power_state == 4
    workers.act(server, "start", "start")
    assert workers.wait_for(server, "active").power_state == 1
    workers.act(server, "reboot_hard", "reboot", hard=True)
    workers.wait_for(server, "active")
    workers.delete(server)
    workers.wait_for(server, "deleted")
    assert (server.deleted, bool(server.deleted_at), bool(server.terminated_at)) == (True, True, True)


def test_a_rebuilt_server_runs_or_is_off_as_it_was(workers):
    (server,) = workers.create(image_ref=make_image().id)
    workers.wait_for(server, "active")
    workers.act(server, "rebuild", "rebuild")
    assert workers.wait_for(server, "active").power_state == 1
    assert steps(server, "rebuild") == [
        ("prepare_image", 1, "done"), ("rebuild_server", 1, "done"), ("finish", 1, "done"),
    ]  # fmt: skip
    workers.act(server, "stop", "stop")
    workers.wait_for(server, "stopped")
    workers.act(server, "rebuild", "rebuild")
    assert workers.wait_for(server, "stopped").power_state == 4


def test_a_rebuild_that_fails_says_so(workers):
    (server,) = workers.create(image_ref=make_image().id)
    workers.wait_for(server, "active")
    workers.trouble(server.host, {"verb": "create_disks", "error": "no space"})
    workers.act(server, "rebuild", "rebuild")
    workers.wait_for(server, "error")
    assert InstanceFault.objects.get(instance_uuid=server.uuid).message.startswith("Rebuild failed: ")
    assert server.host


def test_a_rebuild_whose_image_cannot_be_fetched_leaves_the_old_one(workers):
    old = make_image()
    (server,) = workers.create(image_ref=old.id)
    workers.wait_for(server, "active")
    workers.trouble(server.host, {"verb": "prepare_image", "error": "no route"})
    Instance.objects.filter(pk=server.pk).update(image_ref=make_image().id)
    workers.act(server, "rebuild", "rebuild", was={"image_ref": old.id})
    workers.wait_for(server, "error")
    assert InstanceFault.objects.get(instance_uuid=server.uuid).message == (
        "Rebuild failed: The image could not be fetched by the host."
    )
    assert server.image_ref == old.id


def test_a_request_for_many_spreads_them_and_each_counts(workers):
    servers = workers.create(12)
    for server in servers:
        workers.wait_for(server, "active")
    hosts = [server.host for server in servers]
    assert {hosts.count(host) for host in workers.hosts} == {4}


def test_no_host_is_large_enough_says_how_many_each_filter_left(workers):
    (server,) = workers.create(memory_mb=99_999)
    workers.wait_for(server, "error")
    fault = InstanceFault.objects.get(instance_uuid=server.uuid)
    assert fault.message == "No valid host was found. 3 hosts: 3 enabled, 3 up, 0 with enough memory."
    assert not any(host in fault.message for host in workers.hosts)
    operation = Operation.objects.get(instance_uuid=server.uuid)
    assert (operation.state, operation.error_code) == ("failed", "NoValidHost")
    (decision,) = reasons.read(operation.trace)
    assert {lack for _, lack in decision.near_misses[0].nearest_hosts} == {99_999 - 8192}
    assert {host for host, _ in decision.near_misses[0].nearest_hosts} == set(workers.hosts)
    assert server.host == ""


def test_more_servers_than_room_fills_every_host_and_explains_the_rest(workers):
    servers = workers.create(50, vcpus=1, memory_mb=512)
    workers.wait(lambda: not Operation.objects.filter(state="running").exists(), 120)
    states = [Instance.objects.get(pk=server.pk).vm_state for server in servers]
    assert (states.count("active"), states.count("error")) == (48, 2)
    for used, capacity in Inventory.objects.values_list("used", "capacity"):
        assert used <= capacity


def test_a_host_that_fails_is_left_for_another(workers):
    for host in workers.hosts[:2]:
        workers.trouble(host, {"verb": "start", "error": "no more"})
    servers = workers.create(3)
    for server in servers:
        workers.wait_for(server, "active")
    assert {server.host for server in servers} == {workers.hosts[2]}
    moved = [one for one in servers if Operation.objects.get(instance_uuid=one.uuid).attempt > 1]
    assert len(moved) >= 2
    graph = steps(moved[0])
    assert ("spawn_server", 1, "failed") in graph
    # The host that failed lets go first.
    assert ("destroy_server", 2, "done") in graph
    assert ("claim_destination", 3, "done") in graph
    workers.wait(lambda: workers.domains() == {server.uuid for server in servers})


def test_a_build_that_fails_everywhere_ends_in_error_and_holds_nothing(workers):
    for host in workers.hosts:
        workers.trouble(host, {"verb": "start", "error": "no more"})
    (server,) = workers.create()
    workers.wait_for(server, "error")
    assert server.host == ""
    assert not Allocation.objects.filter(consumer_uuid=server.uuid).exists()
    fault = InstanceFault.objects.get(instance_uuid=server.uuid)
    assert "3 hosts" in fault.message
    assert "no more" in fault.details
    assert quotas.usages(PROJECT, ["instances"]) == {"instances": 1}
    workers.wait(lambda: not workers.domains())


def test_a_build_that_fails_on_the_only_host_it_may_have_says_why(workers):
    (full, *_) = workers.hosts
    workers.trouble(full, {"verb": "create_disks", "error": "not a byte"})
    (server,) = workers.create(request_spec={"vcpus": 1, "memory_mb": 512, "disk_gb": 1, "requested_host": full})
    workers.wait_for(server, "error")
    fault = InstanceFault.objects.get(instance_uuid=server.uuid)
    assert fault.message.startswith("No valid host was found.")
    assert fault.message.endswith("1 tried before. There: The host ran out of disk space.")
    assert full not in fault.message
    assert f"tried: {full} (HostDiskFull: create_disks: not a byte)" in fault.details


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4])
def test_delete_at_any_moment_of_a_build_leaves_nothing(workers, delay):
    for host in workers.hosts:
        workers.trouble(host, {"verb": "define", "delay_seconds": 0.1}, {"verb": "start", "delay_seconds": 0.2})
    servers = workers.create(6)
    time.sleep(delay)
    workers.delete(*servers)
    for server in servers:
        workers.wait_for(server, "deleted")
    workers.settle()
    assert not workers.domains()


def test_a_start_that_fails_gives_the_server_back_as_it_was(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    workers.act(server, "stop", "stop")
    workers.wait_for(server, "stopped")
    workers.trouble(server.host, {"verb": "start", "error": "no power"})
    operation = workers.act(server, "start", "start")
    workers.wait_for(server, "stopped")
    operation.refresh_from_db()
    assert (operation.state, operation.error_code) == ("failed", "HypervisorError")
    assert "no power" in operation.detail
    assert "no power" not in operation.message


def test_a_hard_reboot_that_fails_ends_in_error(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    workers.trouble(server.host, {"verb": "start", "error": "no power"})
    workers.act(server, "reboot_hard", "reboot", hard=True)
    workers.wait_for(server, "error")
    assert InstanceFault.objects.filter(instance_uuid=server.uuid).count() == 1


def test_an_image_is_fetched_once_per_host_and_then_known_there(workers):
    image = make_image()
    (first,) = workers.create(image_ref=image.id)
    workers.wait_for(first, "active")
    assert ("prepare_image", 1, "done") in steps(first)
    host = ComputeNode.objects.filter(host=first.host)
    workers.wait(lambda: image.id in host.get().cached_images)
    spec = {**first.request_spec, "requested_host": first.host}
    (second,) = workers.create(image_ref=image.id, request_spec=spec)
    workers.wait_for(second, "active")
    assert second.host == first.host
    assert ("prepare_image", 1, "skipped") in steps(second)


def test_an_image_that_one_host_cannot_fetch_is_fetched_by_another(workers):
    image = make_image()
    for host in workers.hosts[:2]:
        workers.trouble(host, {"verb": "prepare_image", "error": "connection refused"})
    (server,) = workers.create(image_ref=image.id)
    workers.wait_for(server, "active")
    assert server.host == workers.hosts[2]


def test_an_image_that_was_deleted_meanwhile_ends_the_build_with_that_reason(workers):
    (server,) = workers.create(image_ref="0b0b0b0b-0000-4000-8000-000000000000")
    workers.wait_for(server, "error")
    assert Operation.objects.get(instance_uuid=server.uuid).error_code == "ImageUnavailable"
    assert server.host == ""


def test_two_that_must_be_apart_are_apart_and_the_fourth_finds_no_place(workers):
    group = ServerGroup.objects.create(name="g", project_id=PROJECT, user_id="u", policy="anti-affinity")
    spec = {"vcpus": 1, "memory_mb": 512, "disk_gb": 1, "group_policy": "anti-affinity"}
    servers = []
    for _ in range(4):
        (server,) = workers.create(request_spec=spec, group=group)
        servers.append(server)
    workers.wait(lambda: not Operation.objects.filter(state="running").exists())
    for server in servers:
        server.refresh_from_db()
    placed = [server.host for server in servers if server.vm_state == "active"]
    assert sorted(placed) == workers.hosts
    (left,) = [server for server in servers if server.vm_state == "error"]
    assert "0 free of the server group" in InstanceFault.objects.get(instance_uuid=left.uuid).message


def test_the_tasks_of_a_build_are_recorded_with_who_did_them(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    operation = Operation.objects.get(instance_uuid=server.uuid)
    mine = TaskResult.objects.filter(task_kwargs__contains=operation.id, status="SUCCESS")
    workers.wait(lambda: set(mine.values_list("task_name", flat=True)) == {CLAIM, FINISH_SPAWN})
    # Scheduler and agents have no database: the conductor records what they answered.
    theirs = TaskResult.objects.filter(date_done__gte=server.created_at, result__contains=server.host)
    workers.wait(theirs.filter(task_name=SelectDestinations.NAME).exists)
    workers.wait(theirs.filter(task_name=SpawnServer.NAME, worker=server.host).exists)


def test_an_operation_that_cannot_be_launched_keeps_no_other_and_ends_with_a_reason(workers):
    (bad,) = workers.create(request_spec={"vcpus": 1, "memory_mb": "much", "disk_gb": 1})
    workers.end("scheduler")
    (good,) = workers.create()
    workers.redis.client().delete("scheduler")
    workers.start("scheduler")
    for server in (bad, good):
        Operation.objects.filter(instance_uuid=server.uuid).update(resend_at=server.created_at)
    operations.reconcile()
    workers.wait_for(good, "active")
    broken = Operation.objects.get(instance_uuid=bad.uuid)
    for _ in range(errors.MAX_SENDS):
        errors.step_raised("task", [broken.id], 1)
        operations.reconcile()
    workers.wait_for(bad, "error")
    broken.refresh_from_db()
    assert (broken.state, broken.error_code) == ("failed", "Internal")


def operation_ids(servers: list[Instance]) -> list[str]:
    mine = Operation.objects.filter(instance_uuid__in=[server.uuid for server in servers])
    return [str(one) for one in mine.values_list("id", flat=True)]


def test_what_goes_over_the_broker_for_builds_and_deletes_stays_within_its_budget(workers):
    """Four hops for a server whose image is there, each a message; a request shares the first two among its servers."""
    with closing(workers.redis.client()) as client, watched(client) as traffic:
        servers = workers.create(3)
        for server in servers:
            workers.wait_for(server, "active")
    assert traffic.about(operation_ids(servers)) == {
        SelectDestinations.NAME: 1, CLAIM: 1, SpawnServer.NAME: 3, FINISH_SPAWN: 3
    }  # fmt: skip
    with closing(workers.redis.client()) as client, watched(client) as traffic:
        workers.delete(*servers)
        for server in servers:
            workers.wait_for(server, "deleted")
    assert traffic.about(operation_ids(servers)) == {DestroyServer.NAME: 3, FINISH_DELETE: 3}


def test_a_server_is_deleted_while_its_new_image_is_fetched(workers):
    (server,) = workers.create(image_ref=make_image().id)
    workers.wait_for(server, "active")
    workers.trouble(server.host, {"verb": "prepare_image", "delay_seconds": 600.0})
    operation = workers.act(server, "rebuild", "rebuild")
    workers.wait(lambda: workers.is_at_work_on(server, PrepareImage.NAME))
    workers.delete(server)
    workers.wait_for(server, "deleted")
    assert workers.is_at_work_on(server, PrepareImage.NAME), "the delete has waited for the image"
    operation.refresh_from_db()
    assert operation.error_code == "Superseded"
