"""Quota sets, the quota class and absolute limits."""

import pytest

from cloud.identity.services import quotas
from tests.functional.compute.conftest import MINE, THEIRS, fault

OWN = f"/os-quota-sets/{MINE}"


@pytest.mark.parametrize(
    ("number", "count"), [("2.1", 14), ("2.36", 10), ("2.50", 10), ("2.57", 7), ("latest", 7)]
)  # fmt: skip
def test_resources_follow_the_microversion(member, number, count):
    view = member.at(number).get(OWN).json()["quota_set"]
    assert view.pop("id") == MINE
    assert len(view) == count
    assert view == {name: quotas.DEFAULTS[name] for name in view}
    assert set(member.at(number).get(f"{OWN}/detail").json()["quota_set"]) == {"id", *view}


def test_own_and_default_limits_are_the_same_at_first(member):
    assert member.get(OWN).json() == member.get(f"{OWN}/defaults").json()


def test_detail_counts_what_is_held(member):
    quotas.reserve(MINE, {"instances": 2, "cores": 4})
    view = member.get(f"{OWN}/detail").json()["quota_set"]
    assert view["instances"] == {"limit": 10, "in_use": 2, "reserved": 0}
    assert view["ram"] == {"limit": 51200, "in_use": 0, "reserved": 0}


def test_admin_changes_and_resets(admin, member):
    answer = admin.put(OWN, {"quota_set": {"instances": 3, "cores": "-1", "fixed_ips": 9}})
    assert answer.status_code == 200
    view = answer.json()["quota_set"]
    assert (view["instances"], view["cores"], view["fixed_ips"], "id" in view) == (3, -1, 9, False)
    assert member.get(OWN).json()["quota_set"]["instances"] == 3
    assert admin.delete(OWN).status_code == 202
    assert member.get(OWN).json()["quota_set"]["instances"] == 10


def test_limit_below_usage_must_be_forced(admin):
    quotas.reserve(MINE, {"instances": 2})
    answer = admin.put(OWN, {"quota_set": {"cores": 1, "instances": 1}})
    assert answer.status_code == 400
    assert fault(answer) == (
        "Quota limit 1 for instances must be greater than or equal to already used and reserved 2."
    )
    assert admin.get(OWN).json()["quota_set"]["cores"] == 20
    assert admin.put(OWN, {"quota_set": {"instances": 1, "force": True}}).status_code == 200
    assert admin.put(OWN, {"quota_set": {"instances": -1}}).status_code == 200


@pytest.mark.parametrize(
    ("number", "change"),
    [("2.1", {"instances": -2}), ("2.1", {"instances": "x"}), ("2.1", {"instances": 2**31}), ("2.1", {"cats": 1}),
     ("2.36", {"fixed_ips": 1}), ("2.57", {"injected_files": 1}), ("2.1", {"instances": None}), ("2.1", [])],
)  # fmt: skip
def test_nonsense_is_refused(admin, number, change):
    assert admin.at(number).put(OWN, {"quota_set": change}).status_code == 400


def test_quotas_belong_to_projects(admin, member):
    assert admin.put(f"{OWN}?user_id=u", {"quota_set": {"instances": 1}}).status_code == 400
    assert member.get(f"{OWN}?user_id=user-1").status_code == 200
    assert admin.delete(f"{OWN}?user_id=u").status_code == 202


def test_who_may_see_and_change(admin, member, reader):
    assert reader.get(OWN).status_code == 200
    assert member.get(f"/os-quota-sets/{THEIRS}").status_code == 403
    assert admin.get(f"/os-quota-sets/{THEIRS}").status_code == 200
    assert member.put(OWN, {"quota_set": {"instances": 99}}).status_code == 403
    assert member.delete(OWN).status_code == 403
    answer = admin.get("/os-quota-sets/nobody")
    assert (answer.status_code, fault(answer)) == (400, "Project ID nobody is not a valid project.")
    assert member.at("2.75").get(f"{OWN}?x=y").status_code == 400


def test_class_sets_the_defaults(admin, member):
    answer = admin.put("/os-quota-class-sets/default", {"quota_class_set": {"instances": 7}})
    assert answer.json()["quota_class_set"]["instances"] == 7
    assert "id" not in answer.json()["quota_class_set"]
    assert member.get(OWN).json()["quota_set"]["instances"] == 7
    assert admin.get("/os-quota-class-sets/default").json()["quota_class_set"]["id"] == "default"
    assert admin.put("/os-quota-class-sets/gold", {"quota_class_set": {"instances": 1}}).status_code == 400
    assert member.get("/os-quota-class-sets/default").status_code == 403


@pytest.mark.parametrize(
    ("number", "present", "absent"),
    [("2.1", "fixed_ips", "server_groups"), ("2.50", "server_groups", "fixed_ips"),
     ("2.57", "cores", "injected_files")],
)  # fmt: skip
def test_class_follows_the_microversion(admin, number, present, absent):
    view = admin.at(number).get("/os-quota-class-sets/default").json()["quota_class_set"]
    assert present in view
    assert absent not in view


@pytest.mark.parametrize(
    ("number", "present", "absent"),
    [("2.1", "maxSecurityGroups", "x"), ("2.36", "maxImageMeta", "maxSecurityGroups"),
     ("2.39", "maxPersonality", "maxImageMeta"), ("2.57", "maxTotalCores", "maxPersonality")],
)  # fmt: skip
def test_absolute_limits_follow_the_microversion(member, number, present, absent):
    view = member.at(number).get("/limits").json()["limits"]
    assert view["rate"] == []
    assert present in view["absolute"]
    assert absent not in view["absolute"]


def test_absolute_limits_count_what_is_held(admin, member, stranger):
    quotas.reserve(MINE, {"instances": 2, "ram": 512})
    view = member.get("/limits").json()["limits"]["absolute"]
    assert (view["totalInstancesUsed"], view["totalRAMUsed"], view["maxTotalInstances"]) == (2, 512, 10)
    assert stranger.get("/limits").json()["limits"]["absolute"]["totalInstancesUsed"] == 0
    of_mine = admin.get(f"/limits?tenant_id={MINE}").json()["limits"]["absolute"]
    assert of_mine["totalInstancesUsed"] == 2
    assert stranger.get(f"/limits?tenant_id={MINE}").status_code == 403


def test_limits_cost_two_queries(member, django_assert_num_queries):
    with django_assert_num_queries(2):
        member.get("/limits")
