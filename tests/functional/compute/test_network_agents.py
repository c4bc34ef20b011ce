"""Hosts as agents of the network service."""

import pytest
from django.test import Client
from django.utils import timezone

from cloud.compute.models import Service
from cloud.core import context
from cloud.core.models import new_uuid
from cloud.networks.models import Network, Port, Router, Subnet
from tests.functional.compute.conftest import CONTEXTS

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"


@pytest.fixture
def ask(monkeypatch):
    monkeypatch.setattr(context, "_authenticators", [lambda token, request_id: CONTEXTS.get(token)])
    return lambda path="/agents", token="admin": Client().get(f"{URL}{path}", headers={"x-auth-token": token})


def test_every_host_that_reported_is_one(ask):
    for host, seen in (("h1", timezone.now()), ("h2", None)):
        Service.objects.create(binary="nova-compute", host=host, last_seen_at=seen, disabled=host == "h2")
    Service.objects.create(binary="nova-conductor", host="h1")
    first, second = ask().json()["agents"]
    assert [(one["host"], one["alive"], one["admin_state_up"]) for one in (first, second)] == [
        ("h1", True, True), ("h2", False, False)]
    assert ask(f"/agents/{first['id']}").json() == {"agent": first}
    assert ask("/agents?alive=true&fields=host").json() == {"agents": [{"host": "h1"}]}
    assert ask("/agents?host=h2").json()["agents"] == [second]
    assert ask("/agents?colour=red").status_code == 400
    assert ask("/agents?alive=perhaps").status_code == 400
    assert ask(f"/agents/{first['id'][:-1]}x").status_code == 404
    assert ask(token="member").json() == {"agents": []}
    assert ask(f"/agents/{first['id']}", token="member").status_code == 403


@pytest.fixture
def agents(ask):
    """Have two hosts; return the ids of their agents by name."""
    for host in ("h1", "h2"):
        Service.objects.create(binary="nova-compute", host=host)
    return {one["host"]: one["id"] for one in ask().json()["agents"]}


def names(answer) -> list[str]:
    (found,) = answer.json().values()
    return [one.get("name") or one["host"] for one in found]


def test_a_router_is_with_the_agent_of_its_host(ask, agents):
    router = Router.objects.create(name="r", project_id="p1", host="h2")
    waiting = Router.objects.create(name="waits for ports", project_id="p1")
    assert names(ask(f"/routers/{router.id}/l3-agents")) == ["h2"]
    assert names(ask(f"/routers/{waiting.id}/l3-agents")) == []
    assert names(ask(f"/agents/{agents['h2']}/l3-routers")) == ["r"]
    assert names(ask(f"/agents/{agents['h1']}/l3-routers")) == []


def test_a_network_is_with_the_agents_of_its_guests(ask, agents):
    network = Network.objects.create(name="n", project_id="p1")
    Subnet.objects.create(network=network, project_id="p1", cidr="10.0.0.0/24")
    silent = Network.objects.create(name="without DHCP", project_id="p1")
    Subnet.objects.create(network=silent, project_id="p1", cidr="10.1.0.0/24", enable_dhcp=False)
    for number, (where, host, owner) in enumerate((
        (network, "h1", "compute:nova"), (network, "h1", "compute:nova"), (network, "h2", "network:router_interface"),
        (network, "", ""), (silent, "h2", "compute:nova"),
    )):
        Port.objects.create(
            network=where, project_id="p1", host=host, device_owner=owner, mac_address=f"fa:16:3e:00:00:{number:02x}"
        )
    assert names(ask(f"/networks/{network.id}/dhcp-agents")) == ["h1"]
    assert names(ask(f"/networks/{silent.id}/dhcp-agents")) == []
    assert names(ask(f"/agents/{agents['h1']}/dhcp-networks")) == ["n"]
    assert names(ask(f"/agents/{agents['h2']}/dhcp-networks")) == []


def test_where_things_are_is_for_admins(ask, agents):
    router = Router.objects.create(name="r", project_id="p1", host="h2")
    network = Network.objects.create(name="n", project_id="p1")
    paths = [f"/routers/{router.id}/l3-agents", f"/networks/{network.id}/dhcp-agents",
             f"/agents/{agents['h1']}/l3-routers", f"/agents/{agents['h1']}/dhcp-networks"]
    for path in paths:
        assert ask(path, token="member").status_code == 403
        gone = path.replace(path.split("/")[2], new_uuid())
        assert ask(gone).status_code == 404, gone
