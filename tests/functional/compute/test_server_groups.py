"""Server groups."""

import pytest

from cloud.compute.models import ServerGroup, ServerGroupMember
from cloud.identity.services import quotas
from tests.functional.compute.conftest import MINE, fault
from tests.functional.compute.hosts import make_server


def make(api, number="2.1", **body):
    if not body:
        body = {"policy": "affinity"} if number == "2.64" else {"policies": ["affinity"]}
    return api.at(number).post("/os-server-groups", {"server_group": {"name": "g", **body}})


@pytest.mark.parametrize(
    ("number", "keys"),
    [("2.1", {"id", "name", "policies", "metadata", "members"}),
     ("2.13", {"id", "name", "policies", "metadata", "members", "project_id", "user_id"}),
     ("2.64", {"id", "name", "policy", "rules", "members", "project_id", "user_id"})],
)  # fmt: skip
def test_view_follows_the_microversion(member, number, keys):
    answer = make(member, number)
    assert answer.status_code == 200
    made = answer.json()["server_group"]
    assert set(made) == keys
    assert member.at(number).get(f"/os-server-groups/{made['id']}").json() == answer.json()
    assert member.at(number).get("/os-server-groups").json() == {"server_groups": [made]}


@pytest.mark.parametrize(
    ("number", "body"),
    [("2.1", {"policies": []}), ("2.1", {"policies": ["soft-affinity"]}), ("2.1", {"policies": ["a"]}),
     ("2.1", {"policies": ["affinity", "anti-affinity"]}), ("2.1", {"policy": "affinity"}),
     ("2.64", {"policies": ["affinity"]}), ("2.64", {"policy": "affinity", "rules": {"max_server_per_host": 1}}),
     ("2.64", {"policy": "anti-affinity", "rules": {"max_server_per_host": 0}}),
     ("2.64", {"policy": "anti-affinity", "rules": {"colour": 1}}), ("2.1", {"policies": ["affinity"], "name": ""})],
)  # fmt: skip
def test_nonsense_is_refused_and_costs_nothing(member, number, body):
    assert make(member, number, **body).status_code == 400
    assert quotas.usages(MINE, ["server_groups"]) == {"server_groups": 0}


def test_soft_policies_and_rules(member):
    assert make(member, "2.15", policies=["soft-affinity"]).status_code == 200
    made = make(member, "2.64", policy="anti-affinity", rules={"max_server_per_host": "3"}).json()["server_group"]
    assert made["rules"] == {"max_server_per_host": 3}


def test_members_are_servers_that_live(member):
    made = make(member).json()["server_group"]
    group = ServerGroup.objects.get()
    alive, dead = make_server("h", MINE), make_server("h", MINE, deleted=True)
    for instance in (alive, dead):
        ServerGroupMember.objects.create(group=group, instance_uuid=instance.uuid)
    assert member.get(f"/os-server-groups/{made['id']}").json()["server_group"]["members"] == [alive.uuid]


def test_groups_of_others_are_not_found(admin, member, stranger, reader):
    made = make(member).json()["server_group"]
    path = f"/os-server-groups/{made['id']}"
    answer = stranger.get(path)
    assert (answer.status_code, fault(answer)) == (404, f"Instance group {made['id']} could not be found.")
    assert stranger.delete(path).status_code == 404
    assert stranger.get("/os-server-groups?all_projects=True").json() == {"server_groups": []}
    assert len(admin.get("/os-server-groups?all_projects=True").json()["server_groups"]) == 1
    assert admin.get("/os-server-groups").json() == {"server_groups": []}
    assert admin.get(path).status_code == 200
    assert reader.delete(path).status_code == 403
    assert make(reader).status_code == 403


def test_quota_is_taken_and_given_back(member):
    quotas.set_limits(MINE, {"server_groups": 1})
    made = make(member).json()["server_group"]
    assert make(member).status_code == 403
    assert member.delete(f"/os-server-groups/{made['id']}").status_code == 204
    assert member.delete(f"/os-server-groups/{made['id']}").status_code == 404
    assert make(member).status_code == 200


def test_pages(member):
    ids = [make(member).json()["server_group"]["id"] for _ in range(3)]
    page = member.get("/os-server-groups?limit=1&offset=1").json()["server_groups"]
    assert [group["id"] for group in page] == [ids[1]]
    assert member.get("/os-server-groups?offset=-1").status_code == 400
    assert member.get("/os-server-groups?offset=9223372036854775807").status_code == 400
    assert member.at("2.75").get("/os-server-groups?x=y").status_code == 400


def test_list_costs_the_same_however_long(member, django_assert_num_queries):
    for _ in range(4):
        make(member)
        group = ServerGroup.objects.latest("id")
        ServerGroupMember.objects.create(group=group, instance_uuid=make_server("h", MINE).uuid)
    with django_assert_num_queries(3):
        member.get("/os-server-groups")
