"""Networks and security groups below compute, as Nova passed them on up to 2.35."""

import pytest

from cloud.core.models import new_uuid
from cloud.networks.models import Network, Subnet
from cloud.networks.services import allocation, quotas
from tests.factories.instances import make_instance
from tests.functional.compute.conftest import MINE, THEIRS


@pytest.fixture
def group(member) -> dict:
    return member.post("/os-security-groups", {"security_group": {"name": "web", "description": "d"}}).json()[
        "security_group"]


def rule(group: dict, **values: object) -> dict:
    asked = {"parent_group_id": group["id"], "ip_protocol": "tcp", "from_port": 22, "to_port": 22}
    return {"security_group_rule": {**asked, **values}}


def test_networks_have_an_id_and_a_label(member, admin):
    mine = Network.objects.create(project_id=MINE, name="n")
    foreign = Network.objects.create(project_id=THEIRS)
    pool = Network.objects.create(project_id=THEIRS, name="pub", is_external=True)
    listed = member.get("/os-networks").json()["networks"]
    assert [(one["id"], one["label"]) for one in listed] == [(mine.id, "n"), (pool.id, "pub")]
    assert "bridge" not in listed[0]
    assert "bridge" in admin.get(f"/os-networks/{mine.id}").json()["network"]
    assert member.get(f"/os-tenant-networks/{mine.id}").json() == {
        "network": {"id": mine.id, "label": "n", "cidr": "None"}}
    assert len(member.get("/os-tenant-networks").json()["networks"]) == 2
    for path in ("os-networks", "os-tenant-networks"):
        assert member.get(f"/{path}/{foreign.id}").status_code == 404
        assert member.post(f"/{path}", {}).status_code == 410
        assert member.delete(f"/{path}/{mine.id}").status_code == 410
    assert member.get("/os-floating-ip-pools").json() == {"floating_ip_pools": [{"name": "pub"}]}


def test_they_end_at_2_35(member, group):
    for path in ("/os-networks", "/os-tenant-networks", "/os-floating-ip-pools", "/os-security-groups",
                 f"/os-security-groups/{group['id']}"):
        assert member.at("2.35").get(path).status_code == 200
        assert member.at("2.36").get(path).status_code == 404


def test_a_group_is_made_shown_changed_and_removed(member, stranger, group):
    assert group == {"id": group["id"], "name": "web", "description": "d", "tenant_id": MINE, "rules": []}
    url = f"/os-security-groups/{group['id']}"
    assert {one["name"] for one in member.get("/os-security-groups").json()["security_groups"]} == {"default", "web"}
    changed = member.put(url, {"security_group": {"name": "w", "description": "e"}}).json()["security_group"]
    assert member.get(url).json() == {"security_group": changed}
    assert (changed["name"], changed["description"]) == ("w", "e")
    assert stranger.get(url).status_code == 404
    assert stranger.delete(url).status_code == 404
    gone = member.delete(url)
    assert (gone.status_code, gone.content) == (202, b"")
    assert member.get(url).status_code == 404


@pytest.mark.parametrize("word", ["1", "true", "True", ""])
def test_an_admin_who_asks_sees_the_groups_of_all(stranger, admin, member, group, word):
    theirs = stranger.post("/os-security-groups", {"security_group": {"name": "t", "description": ""}}).json()

    def seen(by, query: str = "") -> set[str]:
        return {one["id"] for one in by.get(f"/os-security-groups{query}").json()["security_groups"]}

    both = {group["id"], theirs["security_group"]["id"]}
    assert both <= seen(admin, f"?all_tenants={word}")
    assert theirs["security_group"]["id"] not in seen(member, f"?all_tenants={word}")
    assert not both <= seen(admin, "?all_tenants=0")
    assert not both <= seen(admin)
    assert admin.get("/os-security-groups?all_tenants=perhaps").status_code == 400


@pytest.mark.parametrize("asked", [
    {"name": "x" * 256, "description": "d"}, {"name": " ", "description": "d"}, {"name": "", "description": "d"},
    {"name": "x"}, {"name": "x", "description": "d" * 256}, {"name": 5, "description": "d"},
    {"name": "default", "description": "d"},
])
def test_a_bad_group_is_refused(member, asked):
    assert member.post("/os-security-groups", {"security_group": asked}).status_code == 400


def test_the_default_group_stays(member):
    (default,) = member.get("/os-security-groups").json()["security_groups"]
    assert [one["group"]["name"] for one in default["rules"]] == ["default", "default"]
    refused = member.delete(f"/os-security-groups/{default['id']}")
    assert refused.status_code == 400
    assert "default" in refused.json()["badRequest"]["message"]
    assert member.get("/os-security-groups/not-a-uuid").status_code == 400


def test_rules(member, stranger, group):
    made = member.post("/os-security-group-rules", rule(group, cidr="10.0.0.0/8"))
    assert made.status_code == 200
    view = made.json()["security_group_rule"]
    assert view == {"id": view["id"], "parent_group_id": group["id"], "ip_protocol": "tcp", "from_port": 22,
                    "to_port": 22, "group": {}, "ip_range": {"cidr": "10.0.0.0/8"}}
    ping = member.post("/os-security-group-rules", rule(group, ip_protocol="icmp", from_port=-1, to_port=-1))
    assert (ping.json()["security_group_rule"]["from_port"], ping.json()["security_group_rule"]["ip_range"]) == (
        -1, {"cidr": "0.0.0.0/0"})
    friends = member.post("/os-security-group-rules", rule(group, group_id=group["id"], from_port="80", to_port="90"))
    assert friends.json()["security_group_rule"]["group"] == {"name": "web", "tenant_id": MINE}
    shown = member.get(f"/os-security-groups/{group['id']}").json()["security_group"]
    assert len(shown["rules"]) == 3
    assert member.post("/os-security-group-rules", rule(group, cidr="10.0.0.0/8")).status_code == 400
    assert stranger.post("/os-security-group-rules", rule(group)).status_code == 404
    assert stranger.delete(f"/os-security-group-rules/{view['id']}").status_code == 404
    assert member.delete(f"/os-security-group-rules/{view['id']}").status_code == 202
    assert member.delete(f"/os-security-group-rules/{view['id']}").status_code == 404


@pytest.mark.parametrize("values", [
    {"ip_protocol": "nonsense"}, {"ip_protocol": None}, {"from_port": -2}, {"from_port": 70000, "to_port": 70000},
    {"from_port": 23}, {"from_port": None}, {"from_port": "x"}, {"cidr": "nonsense"}, {"group_id": "x"},
    {"ip_protocol": "icmp", "from_port": 256}, {"parent_group_id": "x"}, {"nonsense": 1}, {"from_port": 0},
])
def test_a_bad_rule_is_refused(member, group, values):
    assert member.post("/os-security-group-rules", rule(group, **values)).status_code == 400


def test_an_unknown_remote_group_is_not_found(member, group):
    assert member.post("/os-security-group-rules", rule(group, group_id=new_uuid())).status_code == 404


def test_quota_is_forbidden(member, group):
    quotas.set_limits(MINE, {"security_group": 2, "security_group_rule": 6})
    over = member.post("/os-security-groups", {"security_group": {"name": "x", "description": ""}})
    assert (over.status_code, list(over.json())) == (403, ["forbidden"])
    assert member.post("/os-security-group-rules", rule(group)).status_code == 403


def test_a_servers_groups(member, stranger, group):
    network = Network.objects.create(project_id=MINE)
    Subnet.objects.create(network=network, project_id=MINE, cidr="10.0.0.0/24",
                          allocation_pools=[{"start": "10.0.0.2", "end": "10.0.0.9"}])
    server = make_instance(project_id=MINE)
    request = {"mode": "explicit", "requests": [{"network_id": network.id}] * 2, "security_groups": [group["id"]]}
    allocation.allocate(server.uuid, MINE, request, "h")
    answer = member.at("2.90").get(f"/servers/{server.uuid}/os-security-groups")
    assert [one["name"] for one in answer.json()["security_groups"]] == ["web"]
    assert stranger.get(f"/servers/{server.uuid}/os-security-groups").status_code == 404
    assert member.delete(f"/os-security-groups/{group['id']}").status_code == 400
