"""What hosts are told of their networks: who is told, what of it, and that nothing of it is lost."""

import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.compute.models import ComputeNode
from cloud.conductor import telling_networks
from cloud.core import rpc
from cloud.networks.models import HostNetworkState, NetworkChange, Port, SecurityGroup
from cloud.networks.services import allocation, changes, host_documents
from cloud.networks.services.plugging import make_port
from contracts.networks import NetworksApplied, SyncNetworks, digest
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
RULES, GROUPS, PORTS = (f"/network/v2.0/{kind}" for kind in ("security-group-rules", "security-groups", "ports"))


@pytest.fixture
def group(api) -> str:
    return api.post(GROUPS, {"security_group": {"name": "web"}}).json()["security_group"]["id"]


@pytest.fixture
def plugged(make_network, group):
    """Return a function that makes a port on a host."""
    network = make_network()

    def plug(host: str, groups=(), **columns) -> Port:
        return make_port(Port(network=network, project_id="p1", host=host, **columns), None, groups or [group])

    return plug


def rule(group_id: str, **values) -> dict:
    return {"security_group_rule": {"security_group_id": group_id, "direction": "ingress", **values}}


def test_a_document_says_what_may_pass_the_ports_of_its_host(api, group, plugged):
    api.post(RULES, rule(group, protocol="tcp", port_range_min=80, port_range_max=81, remote_ip_prefix="10.1.0.0/16"))
    api.post(RULES, rule(group, protocol="icmp", ethertype="IPv6"))
    port = plugged("a", allowed_address_pairs=[{"ip_address": "10.0.0.240", "mac_address": "fa:16:3e:00:00:09"}])
    plugged("b")
    document = host_documents.document("a")
    (address,) = port.fixed_ips.values_list("ip_address", flat=True)
    assert list(document.guards) == [port.id]
    guard = document.guards[port.id]
    assert (guard.mac_address, guard.addresses, guard.group_ids) == (port.mac_address, [address], [group])
    assert (guard.pairs[0].ip_prefix, guard.is_secured, guard.is_up) == ("10.0.0.240", True, True)
    rules = {(one.direction, one.ip_version, one.protocol, one.port_min, one.port_max, one.remote_prefix)
             for one in document.groups[group].rules}
    assert rules == {
        ("egress", 4, -1, -1, -1, ""), ("egress", 6, -1, -1, -1, ""),
        ("ingress", 4, 6, 80, 81, "10.1.0.0/16"), ("ingress", 6, 58, -1, -1, ""),
    }  # fmt: skip
    assert document.members == {}


def test_members_of_a_group_that_a_rule_names_are_those_of_all_hosts(api, group, plugged):
    other = api.post(GROUPS, {"security_group": {"name": "db"}}).json()["security_group"]["id"]
    api.post(RULES, rule(group, remote_group_id=other))
    plugged("a")
    far = plugged("b", [other], allowed_address_pairs=[{"ip_address": "10.9.0.0/24", "mac_address": ""}])
    (address,) = far.fixed_ips.values_list("ip_address", flat=True)
    assert host_documents.document("a").members[other].addresses == sorted([address, "10.9.0.0/24"])
    assert host_documents.document("b").members == {}


def test_a_host_is_sent_only_what_it_does_not_have(api, group, plugged):
    port = plugged("a")
    whole = host_documents.document("a")
    known = {"guards": {port.id: digest(whole.guards[port.id]), "gone": "x"}, "groups": {group: "old"}}
    found = host_documents.difference(whole, known)
    assert (found.guards, list(found.groups), found.gone) == ({}, [group], {"guards": ["gone"]})


def test_what_a_document_costs_does_not_grow_with_its_ports(plugged):
    plugged("a")
    with CaptureQueriesContext(connection) as few:
        host_documents.document("a")
    for _ in range(5):
        plugged("a")
    with CaptureQueriesContext(connection) as many:
        host_documents.document("a")
    assert len(few) == len(many) <= 9


def wanted() -> set[str]:
    """Turn what was noted into versions; return the hosts that shall have them."""
    return set(changes.take())


def test_those_hosts_are_told_whom_it_concerns(api, group, plugged):
    other = api.post(GROUPS, {"security_group": {"name": "db"}}).json()["security_group"]["id"]
    a, b = plugged("a"), plugged("b", [other])
    plugged("c", [SecurityGroup.objects.create(project_id="p1", name="x").id])
    made = api.post(RULES, rule(group, remote_group_id=other)).json()["security_group_rule"]["id"]
    assert wanted() == {"a"}
    # A member more or less concerns those who have rules about its group.
    api.put(f"{PORTS}/{b.id}", {"port": {"security_groups": []}})
    assert wanted() == {"a", "b"}
    api.delete(f"{RULES}/{made}")
    assert wanted() == {"a"}
    api.delete(f"{PORTS}/{a.id}")
    assert wanted() == {"a"}
    assert not NetworkChange.objects.exists()


def test_a_change_that_was_refused_is_told_to_nobody(api, group, plugged):
    plugged("a")
    assert api.post(RULES, rule(group, protocol="tcp", port_range_min=9, port_range_max=1)).status_code == 400
    assert wanted() == set()


def test_versions_grow_and_a_host_never_has_more_than_it_was_told(api, group, plugged):
    plugged("a")
    api.post(RULES, rule(group, protocol="tcp"))
    first = changes.take()["a"]
    changes.applied("a", first, "")
    # A host that has heard of what this database does not know, restored from a backup, is told anew.
    changes.applied("a", first + 99, "")
    second = changes.take()["a"]
    state = HostNetworkState.objects.get(host="a")
    assert (state.wanted, state.applied, second > first) == (second, first, True)
    changes.applied("a", second, "VifPlugFailed: nft")
    changes.applied("a", first, "")
    state.refresh_from_db()
    assert state.applied == first


@pytest.fixture
def sent(monkeypatch) -> list[SyncNetworks]:
    """Return the orders that hosts are given, instead of sending them."""
    orders: list[SyncNetworks] = []
    real = rpc.on_host
    monkeypatch.setattr(rpc, "on_host", lambda order: orders.append(order) or real(order))
    return orders


def test_a_host_asks_by_its_link_and_by_no_other(api, client, group, plugged, sent):
    make_host("a")
    plugged("a")
    api.post(RULES, rule(group, protocol="tcp"))
    list(telling_networks.tell([]))
    (order,) = sent
    link = urlsplit(order.url)

    def ask(path: str, query: str, body: object = None):
        return client.post(f"{path}?{query}", json.dumps({"known": {}} if body is None else body), "application/json")

    answer = ask(link.path, link.query)
    told = answer.json()
    assert (answer.status_code, told["version"], list(told["groups"])) == (200, order.version, [group])
    assert ask(link.path[:-1] + "b", link.query).status_code == 403
    assert ask(link.path, link.query.replace("host=a", "host=b")).status_code == 403
    assert ask(link.path, "").status_code == 403
    assert ask(link.path, link.query, {"known": {"guards": 7}}).status_code == 400


def test_a_host_of_an_older_release_and_one_that_is_down_are_not_told(api, group, plugged, sent):
    for host, release in (("a", 1), ("b", 2)):
        make_host(host)
        ComputeNode.objects.filter(host=host).update(release=release)
        plugged(host)
    api.post(RULES, rule(group, protocol="tcp"))
    list(telling_networks.tell([]))
    assert [one.host for one in sent] == ["b"]


def test_a_host_that_says_nothing_is_told_again_until_it_has(api, group, plugged, sent, monkeypatch):
    monkeypatch.setattr("celery.canvas._chain.apply_async", lambda *_, **__: None)
    make_host("a")
    plugged("a")
    api.post(RULES, rule(group, protocol="tcp"))
    version = changes.take()["a"]
    assert telling_networks.tell_again() == 0  # it was told a moment ago
    HostNetworkState.objects.update(told_at=LONG_AGO)
    assert (telling_networks.tell_again(), [one.version for one in sent]) == (1, [version])
    HostNetworkState.objects.update(told_at=LONG_AGO)
    telling_networks.tell_again()
    assert sent[0].operation_id == sent[1].operation_id  # so that the host counts what dies of it
    telling_networks.note(NetworksApplied(host="a", version=version))
    HostNetworkState.objects.update(told_at=LONG_AGO)
    assert telling_networks.tell_again() == 0


def test_who_went_is_told_before_who_came(api, group, plugged, monkeypatch):
    told: list[set[str]] = []
    monkeypatch.setattr(telling_networks, "_send", lambda wanted: told.append(set(wanted)) or len(wanted))
    other = api.post(GROUPS, {"security_group": {"name": "db"}}).json()["security_group"]["id"]
    api.post(RULES, rule(group, remote_group_id=other))
    plugged("a")
    plugged("b", [other], device_id="server", position=0, is_created_for_server=True)
    teller = telling_networks.Teller()
    teller.look()
    changes.note([changes.of_members(other)], is_urgent=False)
    later = max(teller._due.values()) + 1
    teller._next, teller._due = 0.0, {**dict.fromkeys(teller._due, later), changes.FORMER: 0.0}
    teller.look()
    assert told[-1] == set()
    teller._next = 0.0
    allocation.release(["server"])
    teller.look()
    assert told[-1] == {"a", "b"}
    assert host_documents.document("a").members[other].addresses == []
