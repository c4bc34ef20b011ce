"""Evacuations as they really run: processes, a real Redis, fake hosts, and the agent of one of them killed."""

import signal

import pytest
from django.db import transaction

from cloud.compute.errors import HostNotClean
from cloud.compute.models import Instance, InstanceFault, Migration, Operation, Service
from cloud.compute.models.migrations import LEFT_BEHIND
from cloud.compute.services import evacuate_server, host_services
from cloud.conductor.reconcile import residue
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.networks.models import Port
from cloud.placement.models import Allocation
from contracts.conductor import Residue
from contracts.scheduling import ConsiderDestinations, Question, RequestSpec
from tests.factories.instances import make_context, make_image
from tests.fixtures.workers import SECONDS
from tests.functional.conductor.test_moves import cores, held
from tests.functional.conductor.test_workflows import steps

DOOMED = "doomed"


@pytest.fixture(autouse=True)
def doomed(workers, nothing_left):
    """One more host, which has an agent and is trusted before and after."""
    come_back(workers)
    workers.wait(lambda: Service.objects.filter(host=DOOMED).exists())
    yield
    come_back(workers)
    workers.wait(lambda: not left_on_disk(workers))
    say_clean()
    trust()


def say_clean():
    """What the host says itself, which takes it up to a minute."""
    residue.take(Residue(host=DOOMED, reported_at=database_now().timestamp()))


def left_on_disk(workers):
    folder = workers.state_dir / "fake" / DOOMED
    gone = left_behind().values_list("instance_uuid", flat=True)
    return [path for uuid in gone for path in folder.rglob(f"*{uuid}*")]


def come_back(workers):
    if not workers.is_started(DOOMED):
        workers.start_apart(DOOMED)


def trust():
    if Service.objects.filter(host=DOOMED, forced_down=True).exists():
        host_services.change_service(DOOMED, "nova-compute", forced_down=False)


def left_behind():
    return Migration.objects.filter(source_compute=DOOMED, migration_type="evacuation", status__in=LEFT_BEHIND)


def on(host, workers):
    spec = RequestSpec(vcpus=1, memory_mb=512, disk_gb=1, requested_host=host).to_wire()
    (one,) = workers.create(image_ref=make_image().id, request_spec=spec)
    return workers.wait_for(one, "active")


@pytest.fixture
def server(workers, doomed):
    return on(DOOMED, workers)


def die(workers):
    """Kill the agent; what it said before is heard."""
    workers.end(DOOMED, signal.SIGKILL)
    workers.hear_out()


def fence():
    host_services.change_service(DOOMED, "nova-compute", forced_down=True, said_by="test")


def evacuate(workers, server, host="", **more):
    if workers.is_started(DOOMED):
        die(workers)
        fence()
    server.refresh_from_db()
    with transaction.atomic():
        evacuate_server.evacuate(make_context(), server, host, **more)


def operation_of(server):
    return Operation.objects.filter(instance_uuid=server.uuid, action="evacuate").latest("started_at")


def ended(workers):
    workers.wait(lambda: not Operation.objects.filter(state="running").exists())


def has_room() -> bool:
    """Tell whether the scheduler has heard of a host that takes servers."""
    question = Question(spec=RequestSpec(vcpus=1, memory_mb=512, disk_gb=1), count=1)
    (answer,) = rpc.consider(ConsiderDestinations(questions=[question]), SECONDS).answers
    return bool(answer.hosts[0])


def copies(workers, server):
    return {path.parent.parent.name for path in (workers.state_dir / "fake").glob(f"*/domains/{server.uuid}*")}


def test_a_server_is_made_anew_and_its_old_copy_goes_when_the_host_is_back(workers, server):
    claim, before = held(server.uuid), cores()
    evacuate(workers, server)
    workers.wait_for(server, "active")
    migration = Migration.objects.get(instance_uuid=server.uuid)
    assert (server.host, server.power_state) == (migration.dest_compute, 1)
    assert server.host != DOOMED
    assert {(host, name) for host, name in held(server.uuid)} == {(server.host, name) for _, name in claim}
    assert (held(migration.uuid), cores()) == ({}, before)
    assert [name for name, _, state in steps(server, "evacuate") if state != "done"] == []
    assert not Port.objects.filter(device_id=server.uuid).exclude(host=server.host).exists()
    assert copies(workers, server) == {server.host, DOOMED}
    come_back(workers)
    workers.wait(lambda: copies(workers, server) == {server.host})


def test_the_host_is_not_trusted_before_it_says_that_it_is_clean(workers, server, monkeypatch):
    # What it has it tells when it comes back, and not again by itself while this is looked at.
    monkeypatch.setitem(workers.environment, "NOVELLA_FULL_REPORT_SECONDS", "3600")
    evacuate(workers, server)
    workers.wait_for(server, "active")
    with pytest.raises(HostNotClean):
        trust()
    come_back(workers)
    workers.wait(lambda: not left_on_disk(workers))
    with pytest.raises(HostNotClean):
        trust()
    say_clean()
    assert Migration.objects.get(instance_uuid=server.uuid).status == "completed"
    trust()
    assert not Service.objects.get(host=DOOMED).forced_down


def test_what_was_off_stays_off(workers, server):
    workers.act(server, "stop", "stop")
    workers.wait_for(server, "stopped")
    evacuate(workers, server)
    assert workers.wait_for(server, "stopped").power_state == 4
    assert server.host != DOOMED


@pytest.mark.parametrize("verb", ["prepare_image", "start"])
def test_a_host_that_fails_is_left_clean_and_the_next_one_tried(workers, server, verb):
    *bad, good = workers.hosts
    # The emptier hosts are preferred: both of those that fail come first.
    on(good, workers)
    for host in bad:
        workers.trouble(host, {"verb": verb, "error": "not today"})
    evacuate(workers, server)
    workers.wait_for(server, "active")
    assert server.host == good
    operation = operation_of(server)
    assert (sorted(operation.hosts_tried), operation.state) == (bad, "succeeded")
    undone = [step for step in steps(server, "evacuate") if step[0] == "destroy_server"]
    assert len(undone) == (2 if verb == "start" else 0)
    assert copies(workers, server) == {good, DOOMED}


def test_without_a_host_the_server_is_in_error_with_its_reason_and_can_be_tried_again(workers, server):
    claim, before = held(server.uuid), cores()
    for host in workers.hosts:
        host_services.change_service(host, "nova-compute", disabled=True)
    evacuate(workers, server)
    ended(workers)
    server.refresh_from_db()
    assert (server.vm_state, server.task_state, server.host) == ("error", "", DOOMED)
    assert (held(server.uuid), cores()) == (claim, before)
    assert "No valid host was found" in InstanceFault.objects.get(instance_uuid=server.uuid).message
    for host in workers.hosts:
        host_services.change_service(host, "nova-compute", disabled=False)
    workers.wait(has_room)
    evacuate(workers, server)
    workers.wait_for(server, "active")
    assert server.host != DOOMED


def test_a_server_is_deleted_while_it_is_evacuated(workers, server):
    for host in workers.hosts:
        workers.trouble(host, {"verb": "start", "delay_seconds": 600.0})
    evacuate(workers, server)
    workers.wait(lambda: ("rebuild_server", 1, "sent") in steps(server, "evacuate"))
    workers.delete(server)
    workers.calm()
    workers.wait_for(server, "deleted")
    assert not Allocation.objects.exists()
    assert copies(workers, server) == {DOOMED}
    come_back(workers)
    workers.wait(lambda: not copies(workers, server))


def test_a_host_that_is_heard_before_another_one_begins_keeps_its_server(workers, server):
    for host in workers.hosts:
        workers.trouble(host, {"verb": "prepare_image", "delay_seconds": 600.0})
    evacuate(workers, server)
    workers.wait(lambda: ("prepare_image", 1, "sent") in steps(server, "evacuate"))
    dead = Service.objects.get(host=DOOMED).last_seen_at
    come_back(workers)
    workers.wait(lambda: Service.objects.get(host=DOOMED).last_seen_at > dead)
    workers.calm()
    ended(workers)
    server.refresh_from_db()
    assert (server.vm_state, server.task_state, server.host) == ("active", "", DOOMED)
    assert operation_of(server).error_code == "HostNotFenced"
    assert copies(workers, server) == {DOOMED}
    assert Instance.objects.get(uuid=server.uuid).host == DOOMED
