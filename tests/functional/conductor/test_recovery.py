"""Whatever the fast path loses, the rows bring back: nothing is stuck, nothing happens twice."""

import contextlib
import signal
from datetime import timedelta

import pytest
from django.db.models import F

from cloud.compute.models import Instance, Operation, Service, Step
from cloud.conductor.reconcile import hosts, operations, residue
from cloud.conductor.steps import building, deleting
from cloud.core import rpc
from cloud.core.clock import database_now
from compute_agent.network.fake import FakeNetwork
from contracts.compute import PlugVifs, PrepareImage, ServerDestroyed, ServerSpawned, SpawnServer
from contracts.conductor import Residue
from tests.factories.instances import make_image
from tests.unit.compute_agent.orders import server_spec

pytestmark = pytest.mark.usefixtures("nothing_left")


def make_due(*instances: Instance) -> None:
    """Let it be later: nobody has moved these on for long enough."""
    Operation.objects.filter(instance_uuid__in=[one.uuid for one in instances], state="running").update(
        resend_at=database_now() - timedelta(seconds=1)
    )


def make_overdue(instance: Instance) -> None:
    """Let its time be up, of which none counts in which nobody listens."""
    hosts.reconcile()
    Operation.objects.filter(instance_uuid=instance.uuid, state="running").update(
        deadline=database_now() - timedelta(seconds=1)
    )


def is_down(host: str) -> bool:
    """Let a host have been silent; its next report may come first."""
    Service.objects.filter(host=host).update(last_seen_at=database_now() - timedelta(minutes=5))
    hosts.reconcile()
    return not Service.objects.get(host=host).is_up


def wipe(workers) -> None:
    """Lose every message, as a Redis without a disk does."""
    with contextlib.closing(workers.redis.client()) as client:
        client.flushall()


def test_a_wiped_broker_loses_no_build(workers):
    workers.end("scheduler")
    servers = workers.create(3)
    wipe(workers)
    workers.start("scheduler")
    make_due(*servers)
    operations.reconcile()
    for server in servers:
        workers.wait_for(server, "active")


@pytest.mark.parametrize("process", ["agent", "conductor"])
def test_a_build_survives_the_sudden_death_of_a_process(workers, process):
    for host in workers.hosts:
        workers.trouble(host, {"verb": "start", "delay_seconds": 0.3})
    servers = workers.create(6)
    workers.wait(lambda: Instance.objects.exclude(host="").filter(deleted=False).count() >= 1)
    workers.end(process, signal.SIGKILL)
    workers.start(process)

    def are_built() -> bool:
        make_due(*servers)
        operations.reconcile()
        return Instance.objects.filter(pk__in=[one.pk for one in servers], vm_state="active").count() == 6

    workers.wait(are_built)


def test_orders_side_by_side_that_are_done_and_whose_count_was_lost_are_joined(workers):
    """Redis counts which of them are done, and forgets: they are sent again, and find done what they ask for."""
    for host in workers.hosts:
        workers.trouble(host, {"verb": "prepare_image", "delay_seconds": 60.0})
    (server,) = workers.create(image_ref=make_image().id)
    workers.wait(lambda: workers.is_at_work_on(server, PrepareImage.NAME))
    workers.end("conductor", signal.SIGKILL)
    workers.calm()
    workers.wait(lambda: not any(workers.is_at_work_on(server, one.NAME) for one in (PrepareImage, PlugVifs)))
    wipe(workers)
    workers.start("conductor")
    make_due(server)
    operations.reconcile()
    workers.wait_for(server, "active")
    steps = Step.objects.filter(operation__instance_uuid=server.uuid, name__in=["prepare_image", "plug_vifs"])
    assert set(steps.values_list("attempt", "state", "sends")) == {(1, "done", 2)}


def test_a_delete_whose_order_was_lost_is_sent_again(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    workers.end("agent")
    workers.delete(server)
    wipe(workers)
    workers.start("agent")
    make_due(server)
    operations.reconcile()
    workers.wait_for(server, "deleted")


@pytest.mark.parametrize("process", ["agent", "conductor"])
def test_a_rebuild_whose_messages_were_lost_is_sent_again_from_where_it_stood(workers, process):
    (server,) = workers.create(image_ref=make_image().id)
    workers.wait_for(server, "active")
    workers.end(process, signal.SIGKILL)
    workers.act(server, "rebuild", "rebuild")
    wipe(workers)
    workers.start(process)
    make_due(server)
    operations.reconcile()
    workers.wait_for(server, "active")
    assert Operation.objects.get(instance_uuid=server.uuid, action="rebuild").state == "succeeded"


def test_a_host_that_never_answers_is_left_for_another_after_the_deadline(workers):
    (server,) = workers.create(request_spec={"vcpus": 1, "memory_mb": 512, "disk_gb": 1})
    workers.wait_for(server, "active")
    first = server.host
    workers.trouble(first, {"verb": "define", "delay_seconds": 600.0, "times": 1})
    spec = {"vcpus": 1, "memory_mb": 512, "disk_gb": 1, "different_hosts": [h for h in workers.hosts if h != first]}
    (slow,) = workers.create(request_spec=spec)
    # From then on it has the deadline that stood in its order.
    workers.wait(lambda: workers.is_at_work_on(slow, SpawnServer.NAME))
    Instance.objects.filter(pk=slow.pk).update(request_spec={**spec, "different_hosts": []})
    make_overdue(slow)
    operations.reconcile()
    workers.calm()
    workers.wait_for(slow, "active")
    assert slow.host != first
    operation = Operation.objects.get(instance_uuid=slow.uuid)
    assert (operation.attempt, operation.hosts_tried) == (3, [first])
    # Between the two it let go of what it might have made, and said so.
    assert Step.objects.get(operation=operation, attempt=2, name="destroy_server").state == "done"
    assert Step.objects.get(operation=operation, attempt=1, state="failed").error_code == "DeadlineExceeded"
    # The first host finishes its late work, and what it made is removed.
    workers.wait(lambda: not (workers.state_dir / "fake" / first / "domains" / f"{slow.uuid}.json").exists())


def test_sending_everything_twice_has_one_effect(workers):
    servers = workers.create(4)
    ids = list(Operation.objects.filter(state="running").values_list("id", flat=True))
    rpc.launch_now("build", ids)
    rpc.launch_now("build", ids)
    for server in servers:
        workers.wait_for(server, "active")
    assert Operation.objects.filter(id__in=ids, attempt=1, state="succeeded").count() == 4


def test_two_reconcilers_send_once(workers):
    workers.end("scheduler")
    servers = workers.create(2)
    make_due(*servers)
    operations.reconcile()
    operations.reconcile()
    sends = Step.objects.filter(name="select_destinations", state="sent").values_list("sends", flat=True)
    assert set(sends) == {2}
    workers.start("scheduler")
    for server in servers:
        workers.wait_for(server, "active")


def test_an_operation_past_its_deadline_ends_with_a_reason(workers):
    workers.end("scheduler")
    (server,) = workers.create()
    make_overdue(server)
    operations.reconcile()
    workers.start("scheduler")
    workers.wait_for(server, "error")
    assert Operation.objects.get(instance_uuid=server.uuid).error_code == "DeadlineExceeded"


def test_a_host_is_believed_for_its_own_instances_only(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    operation = workers.act(server, "stop", "stop")
    liar = next(host for host in workers.hosts if host != server.host)
    deleting.finish_delete(ServerDestroyed(host=liar), operation.id, 1)
    building.finish_spawn(ServerSpawned(host=liar, error_code="Internal"), operation.id, 1)
    workers.wait_for(server, "stopped")


def test_an_answer_of_an_older_attempt_changes_nothing(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    workers.trouble(server.host, {"verb": "request_shutdown", "delay_seconds": 600.0})
    operation = workers.act(server, "stop", "stop")
    Operation.objects.filter(id=operation.id).update(attempt=F("attempt") + 1)
    building.finish_spawn(ServerSpawned(host=server.host, error_code="Internal"), operation.id, 1)
    server.refresh_from_db()
    assert server.task_state == "powering-off"
    make_overdue(server)
    operations.reconcile()
    workers.wait_for(server, "active")


def test_a_silent_host_is_down_gets_no_servers_and_its_own_can_still_be_deleted(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    workers.end("agent", signal.SIGKILL)
    workers.hear_out()  # its last reports may still be on their way
    workers.wait(lambda: all(is_down(host) for host in workers.hosts))
    long_ago = database_now() - timedelta(minutes=5)
    (homeless,) = workers.create()
    workers.wait_for(homeless, "error")
    workers.delete(server)
    workers.wait_for(server, "deleted")
    workers.start("agent")
    workers.wait(lambda: Service.objects.filter(binary="nova-compute", last_seen_at__gt=long_ago).count() == 3)
    hosts.reconcile()
    assert Service.objects.filter(binary="nova-compute", is_up=True).count() == 3
    # The host comes back with a guest that is no more: seen twice, it is removed.
    at = database_now().timestamp()  # and what the agent says of its own accord comes earlier
    for word in (1, 2):
        residue.take(Residue(host=server.host, reported_at=at + word, domains=[server.uuid]))
    workers.wait(lambda: server.uuid not in workers.domains())
    residue.take(Residue(host=server.host, reported_at=at + 3))


def test_taps_alone_are_removed_too(workers):
    """A host that dies before a server arrives has plugged its interfaces, and has no guest or disk of it."""
    (server,) = workers.create()
    workers.wait_for(server, "active")
    other = next(host for host in workers.hosts if host != server.host)
    workers.end("agent")
    ports = workers.state_dir / "fake" / other / "ports"
    FakeNetwork(ports).plug(server.uuid, server_spec().ports, {}, "")
    workers.start("agent")
    at = database_now().timestamp() + 1  # and what the agent says of its own accord comes earlier
    for word in (1, 2):
        residue.take(Residue(host=other, reported_at=at + word, plugged=[server.uuid]))
    workers.wait(lambda: not (ports / f"{server.uuid}.json").exists())
    assert server.uuid in workers.domains()


def test_a_build_on_a_host_that_goes_down_is_moved_at_once(workers):
    first = workers.hosts[0]
    workers.trouble(first, {"verb": "define", "delay_seconds": 600.0, "times": 1})
    spec = {"vcpus": 1, "memory_mb": 512, "disk_gb": 1}
    (server,) = workers.create(request_spec={**spec, "requested_host": first})
    workers.wait(lambda: Instance.objects.get(pk=server.pk).host == first)
    Instance.objects.filter(pk=server.pk).update(request_spec=spec)
    workers.wait(lambda: is_down(first))
    operations.reconcile()
    workers.calm()
    workers.wait_for(server, "active")
    assert server.host != first
    workers.wait(lambda: Service.objects.get(host=first).last_seen_at > database_now() - timedelta(seconds=30))
    hosts.reconcile()


def test_orders_that_an_agent_took_to_the_grave_are_sent_again_when_it_speaks(workers):
    for host in workers.hosts:
        workers.trouble(host, {"verb": "start", "delay_seconds": 600.0})
    (server,) = workers.create()
    workers.wait(lambda: workers.is_at_work_on(server, SpawnServer.NAME))
    workers.end("agent", signal.SIGKILL)
    workers.calm()
    workers.start("agent")
    begun = Operation.objects.get(instance_uuid=server.uuid)
    workers.wait(lambda: Operation.objects.get(pk=begun.pk).resend_at < begun.resend_at)
    operations.reconcile()
    workers.wait_for(server, "active")


def test_a_conductors_own_thread_sees_that_the_broker_takes_again_what_it_refused(workers):
    (server,) = workers.create()
    workers.wait_for(server, "active")
    workers.end("agent")
    workers.act(server, "stop", "stop")
    operation = Operation.objects.filter(instance_uuid=server.uuid, state="running")
    client = workers.redis.client()
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    # Its probe lasts for a minute and is renewed every three seconds: now it was not.
    workers.wait(lambda: client.ttl("novella:broker-probe") < 50)
    late = database_now() + timedelta(minutes=10)
    operation.update(resend_at=late, deadline=late)
    client.config_set("maxmemory", 0)
    workers.wait(lambda: operation.filter(resend_at__lt=late).exists())
    workers.start("agent")
    workers.wait_for(server, "stopped")
