"""Attaching and detaching interfaces, as far as the API goes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cloud.compute.models import ComputeNode, Instance, Operation
from cloud.conductor.reconcile import leaving_ports
from cloud.conductor.steps.interfaces import fail_interfaces, finish_interfaces
from cloud.core.models import new_uuid
from cloud.networks.errors import PortNotFound
from cloud.networks.models import Network, NetworkChange, Port, Subnet
from cloud.networks.services import allocation, ports
from cloud.networks.services.host_documents import document
from cloud.networks.services.plugging import make_port
from contracts import RELEASE
from contracts.compute import InterfacesSet
from tests.factories.instances import make_instance
from tests.functional.compute.conftest import CONTEXTS, MINE, THEIRS

pytestmark = pytest.mark.django_db


def make_network(third: int = 1, **columns: object) -> Network:
    network = Network.objects.create(**{"project_id": MINE, "name": f"n{third}", **columns})
    Subnet.objects.create(network=network, project_id=MINE, cidr=f"10.0.{third}.0/29", gateway_ip=f"10.0.{third}.1",
                          allocation_pools=[{"start": f"10.0.{third}.2", "end": f"10.0.{third}.6"}])
    return network


@pytest.fixture
def network() -> Network:
    return make_network()


@pytest.fixture
def server(network) -> Instance:
    request = {"mode": "explicit", "requests": [{"network_id": network.id}], "security_groups": []}
    server = make_instance(project_id=MINE, vm_state="active", task_state="", host="h", network_request=request)
    allocation.allocate(server.uuid, MINE, request, "h")
    allocation.set_active(server.uuid)
    return server


def attach(api, server: Instance, **wish: object):
    return api.post(f"/servers/{server.uuid}/os-interface", {"interfaceAttachment": wish})


def idle(server: Instance, **changes: object) -> None:
    Instance.objects.filter(pk=server.pk).update(**{"task_state": "", **changes})


def test_an_interface_is_there_at_once_and_its_server_busy(member, server, network):
    answer = attach(member, server, net_id=network.id)
    assert answer.status_code == 200, answer.content
    one = answer.json()["interfaceAttachment"]
    port = Port.objects.get(id=one["port_id"])
    assert (port.position, port.host, port.status, port.device_owner) == (1, "h", "DOWN", "compute:nova")
    assert one["fixed_ips"][0]["ip_address"].startswith("10.0.1.")
    assert list(port.security_groups.values_list("name", flat=True)) == ["default"]
    server.refresh_from_db()
    assert (server.vm_state, server.task_state) == ("active", "interface_attaching")
    assert [bool(one) for one in server.network_request["requests"]] == [True, True]
    assert Operation.objects.get(workflow="attach_interface").plan == {"position": 1}
    assert attach(member, server, net_id=network.id).status_code == 409
    assert member.delete(f"/servers/{server.uuid}/os-interface/{port.id}").status_code == 409


def test_a_port_a_fixed_address_or_the_only_network(member, server, network):
    port = make_port(Port(network=network, project_id=MINE), None, ())
    assert attach(member, server, port_id=port.id).json()["interfaceAttachment"]["port_id"] == port.id
    idle(server)
    free = next(f"10.0.1.{last}" for last in range(2, 7) if not port.fixed_ips.model.objects.filter(
        ip_address=f"10.0.1.{last}").exists())
    one = attach(member.at("2.70"), server, net_id=network.id, fixed_ips=[{"ip_address": free}], tag="nic")
    attached = one.json()["interfaceAttachment"]
    assert (attached["fixed_ips"][0]["ip_address"], attached["tag"]) == (free, "nic")
    idle(server, vm_state="stopped")
    assert member.post(f"/servers/{server.uuid}/os-interface", {}).status_code == 200


@pytest.mark.parametrize(("wish", "status"), [
    ({"net_id": "{net}", "port_id": "{taken}"}, 400),
    ({"fixed_ips": [{"ip_address": "10.0.1.5"}]}, 400),
    ({"net_id": "{net}", "fixed_ips": [{"ip_address": "10.9.9.9"}]}, 400),
    ({"net_id": "{net}", "fixed_ips": [{"ip_address": "10.0.1.1"}]}, 409),
    ({"net_id": "{net}", "fixed_ips": []}, 400),
    ({"net_id": "{net}", "tag": "from-2.49"}, 400),
    ({"net_id": "x"}, 400),
    ({"port_id": "{taken}"}, 409),
    ({"port_id": "{foreign_port}"}, 404),
    ({"port_id": "{nothing}"}, 404),
    ({"net_id": "{foreign}"}, 404),
    ({"net_id": "{nothing}"}, 404),
    ({"net_id": "{bare}"}, 400),
    ({"net_id": "{full}"}, 400),
])
def test_what_cannot_be_attached_changes_nothing(member, server, network, wish, status):
    foreign, bare, full = make_network(2, project_id=THEIRS), Network.objects.create(project_id=MINE), make_network(3)
    for _ in range(5):
        make_port(Port(network=full, project_id=MINE), None, ())
    theirs = make_port(Port(network=foreign, project_id=THEIRS), None, ())
    names = {"net": network.id, "taken": Port.objects.get(device_id=server.uuid).id, "foreign": foreign.id,
             "foreign_port": theirs.id, "nothing": new_uuid(), "bare": bare.id, "full": full.id}
    asked = {key: value.format(**names) if isinstance(value, str) else value for key, value in wish.items()}
    ports = Port.objects.count()
    assert attach(member, server, **asked).status_code == status
    server.refresh_from_db()
    assert (server.task_state, len(server.network_request["requests"]), Port.objects.count()) == ("", 1, ports)
    assert not Operation.objects.exists()


def test_an_interface_stays_until_the_host_has_let_go(member, stranger, server):
    port = Port.objects.get(device_id=server.uuid)
    url = f"/servers/{server.uuid}/os-interface"
    assert member.delete(f"{url}/{new_uuid()}").status_code == 404
    assert stranger.delete(f"{url}/{port.id}").status_code == 404
    gone = member.delete(f"{url}/{port.id}")
    assert (gone.status_code, gone.content) == (202, b"")
    server.refresh_from_db()
    assert server.task_state == "interface_detaching"
    assert member.get(f"{url}/{port.id}").status_code == 200
    assert Operation.objects.get().plan == {"position": 0, "port_id": port.id}


def delete_port(who: str, port_id: str) -> None:
    ports.delete_port(CONTEXTS[who], port_id)


def adopted(server: Instance, network: Network) -> Port:
    """A second interface, from a port that its owner had made before."""
    port = make_port(Port(network=network, project_id=MINE), None, ())
    server.network_request["requests"].append({"network_id": network.id, "port_id": port.id})
    idle(server, network_request=server.network_request)
    allocation.allocate(server.uuid, MINE, server.network_request, "h")
    return port


@pytest.mark.parametrize("locked", [False, True])
def test_a_deleted_port_goes_when_its_host_has_let_go(member, server, network, locked):
    idle(server, locked=locked)
    port, own = adopted(server, network), Port.objects.get(device_id=server.uuid, position=0)
    NetworkChange.objects.all().delete()
    delete_port("member", port.id)
    server.refresh_from_db()
    operation = Operation.objects.get()
    assert (server.task_state, operation.action) == ("interface_detaching", "detach_interface")
    assert operation.plan == {"position": 1, "port_id": port.id}
    kept = Port.objects.get(id=port.id)
    assert (kept.is_leaving, kept.fixed_ips.count(), kept.security_groups.count()) == (True, 1, 0)
    # For everybody but the host it is gone.
    shown = member.get(f"/servers/{server.uuid}/os-interface").json()["interfaceAttachments"]
    assert [one["port_id"] for one in shown] == [own.id]
    assert [one.id for one in allocation.port_specs(server.uuid)] == [own.id]
    assert list(document("h").guards) == [own.id]
    assert ("host", "h") in NetworkChange.objects.values_list("kind", "key")
    for call in (lambda: delete_port("member", port.id), lambda: delete_port("admin", port.id)):
        with pytest.raises(PortNotFound):
            call()
    finish_interfaces(InterfacesSet(host="h"), operation.id, 1)
    assert not Port.objects.filter(id=port.id).exists()
    server.refresh_from_db()
    assert [bool(one) for one in server.network_request["requests"]] == [True, False]


@pytest.mark.parametrize("state", [{"vm_state": "error"}, {"task_state": "rebooting"}, {"vm_state": "resized"}])
def test_a_busy_server_loses_a_deleted_port_later(server, state):
    port = Port.objects.get(device_id=server.uuid)
    idle(server, **state)
    delete_port("member", port.id)
    assert Port.objects.get(id=port.id).is_leaving
    assert (leaving_ports.detach(), Operation.objects.count()) == (0, 0)
    idle(server, vm_state="stopped")
    assert (leaving_ports.detach(), leaving_ports.detach()) == (1, 0)
    operation = Operation.objects.get()
    fail_interfaces(operation, "internal", "no slot")
    assert Port.objects.filter(id=port.id, is_leaving=True).exists()
    # Whoever failed just now is left in peace for a while.
    assert leaving_ports.detach() == 0
    Operation.objects.update(finished_at=timezone.now() - timedelta(minutes=6))
    assert leaving_ports.detach() == 1


def test_a_deleted_port_goes_with_its_server_or_at_once_without_one(server, network):
    port = adopted(server, network)
    idle(server, task_state="rebooting")
    delete_port("member", port.id)
    allocation.release([server.uuid])
    assert not Port.objects.exists()
    other = make_port(Port(network=network, project_id=MINE, device_id=new_uuid(), position=0), None, ())
    delete_port("member", other.id)
    assert not Port.objects.exists()


def test_only_who_may_delete_a_port_has_it_detached(server):
    port = Port.objects.get(device_id=server.uuid)
    with pytest.raises(PortNotFound):
        delete_port("stranger", port.id)
    server.refresh_from_db()
    assert (server.task_state, Operation.objects.count()) == ("", 0)
    ComputeNode.objects.create(host="h", hypervisor_hostname="h", vcpus=1, memory_mb=1, disk_gb=1, release=1)
    delete_port("member", port.id)
    assert (Operation.objects.count(), leaving_ports.detach()) == (0, 0)
    ComputeNode.objects.update(release=RELEASE)
    assert leaving_ports.detach() == 1


@pytest.mark.parametrize("state", [
    {"vm_state": "error"}, {"vm_state": "suspended"}, {"task_state": "rebooting"}, {"locked": True},
])
def test_only_an_idle_server_takes_or_loses_one(member, server, network, state):
    idle(server, **state)
    port = Port.objects.get(device_id=server.uuid)
    assert attach(member, server, net_id=network.id).status_code == 409
    assert member.delete(f"/servers/{server.uuid}/os-interface/{port.id}").status_code == 409
    assert Port.objects.count() == 1


def test_without_any_network_there_is_none_to_choose(member, server):
    Network.objects.filter(name="n1").update(project_id=THEIRS)
    assert attach(member, server).status_code == 400
    for third in (4, 5):
        make_network(third)
    assert attach(member, server).status_code == 400
