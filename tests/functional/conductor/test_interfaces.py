"""Interfaces attached and detached as they really are: processes, a real Redis, fake hosts."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F

from cloud.compute.models import Instance, InstanceFault, Operation
from cloud.compute.services import reset_state, server_interfaces
from cloud.conductor.reconcile import leaving_ports
from cloud.networks.models import Network, Port, Subnet
from cloud.networks.services import ports
from tests.factories.instances import PROJECT, make_context

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def network(workers):
    one = Network.objects.create(name="n", project_id=PROJECT)
    Subnet.objects.create(network=one, project_id=PROJECT, cidr="10.0.0.0/24", gateway_ip="10.0.0.1",
                          allocation_pools=[{"start": "10.0.0.2", "end": "10.0.0.254"}])
    yield one
    Port.objects.filter(network=one).delete()
    one.delete()


@pytest.fixture
def server(workers):
    (one,) = workers.create()
    return workers.wait_for(one, "active")


def attach(server, network):
    with transaction.atomic():
        return server_interfaces.attach(make_context(), server, {"uuid": network.id})


def detach(server, port_id):
    with transaction.atomic():
        server_interfaces.detach(make_context(), server, port_id)


def is_over():
    return not Operation.objects.filter(state="running").exists()


def on_host(workers, server) -> set[str]:
    """The ports that the host has of a server."""
    found = list(workers.state_dir.glob(f"**/{server.host}/**/ports/{server.uuid}.json"))
    return set(json.loads(found[0].read_text())) if found else set()


@pytest.mark.parametrize("vm_state", ["active", "stopped"])
def test_interfaces_come_and_go(workers, server, network, vm_state):
    if vm_state == "stopped":
        workers.act(server, "stop", "stop")
        workers.wait_for(server, "stopped")
    ports = []
    for _ in range(2):
        ports.append(attach(server, network))
        workers.wait(is_over)
        server = workers.wait_for(server, vm_state)
    assert set(Port.objects.filter(id__in=ports).values_list("status", "host")) == {("ACTIVE", server.host)}
    assert on_host(workers, server) == set(ports)
    detach(server, ports[0])
    workers.wait(is_over)
    server = workers.wait_for(server, vm_state)
    assert list(Port.objects.filter(device_id=server.uuid).values_list("id", "position")) == [(ports[1], 1)]
    assert on_host(workers, server) == {ports[1]}
    assert [bool(one) for one in server.network_request["requests"]] == [False, True]


def test_what_a_host_cannot_do_is_undone(workers, server, network):
    kept = attach(server, network)
    workers.wait(is_over)
    server = workers.wait_for(server, "active")
    fault = {"verb": "set_interfaces", "error": "no slot is left", "times": 1}
    workers.trouble(server.host, fault)
    lost = attach(server, network)
    workers.wait(is_over)
    server = workers.wait_for(server, "active")
    assert not Port.objects.filter(id=lost).exists()
    assert InstanceFault.objects.filter(instance_uuid=server.uuid).latest("id").message.startswith(
        "The interface could not be attached")
    workers.wait(lambda: on_host(workers, server) == {kept})
    # Twice: the order that undoes the attachment may only arrive now, and fail instead.
    workers.trouble(server.host, {**fault, "times": 2})
    detach(server, kept)
    workers.wait(is_over)
    assert Port.objects.get(id=kept).device_id == server.uuid
    workers.wait(lambda: on_host(workers, server) == {kept})


def test_what_an_operator_cuts_short_is_undone(workers, server, network):
    kept = attach(server, network)
    workers.wait(is_over)
    server = workers.wait_for(server, "active")
    for change, what in ((attach, network), (detach, kept)):
        workers.end("agent")
        change(server, what)
        reset_state.reset(Instance.objects.get(pk=server.pk), "active")
        workers.start("agent")
        workers.act(server, "reboot", "reboot", hard=False)
        server = workers.wait_for(server, "active")
        workers.settle()  # of orders for one server that wait together any may be the last
        assert on_host(workers, server) == {kept}
        assert list(Port.objects.filter(device_id=server.uuid).values_list("id", flat=True)) == [kept]
        assert [bool(one) for one in server.network_request["requests"] if one] == [True]


def test_a_deleted_port_is_there_until_its_host_has_let_go(workers, server, network):
    port_id = attach(server, network)
    workers.wait(is_over)
    workers.trouble(server.host, {"verb": "set_interfaces", "error": "it is in use", "times": 1})
    ports.delete_port(make_context(), port_id)
    workers.wait(is_over)
    assert Operation.objects.filter(workflow="detach_interface").latest("started_at").state == "failed"
    assert Port.objects.get(id=port_id).is_leaving
    server = workers.wait_for(server, "active")
    Operation.objects.update(finished_at=F("finished_at") - timedelta(minutes=6))
    leaving_ports.detach()
    workers.wait(lambda: not Port.objects.filter(id=port_id).exists())
    assert on_host(workers, server) == set()
    server = workers.wait_for(server, "active")
    assert not any(server.network_request["requests"])
