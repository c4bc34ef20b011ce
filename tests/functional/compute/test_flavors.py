"""Flavors."""

import pytest

from cloud.compute import api
from cloud.compute.models import Flavor
from cloud.compute.selectors import flavors as selectors
from tests.functional.compute.conftest import MINE, THEIRS, fault


def make(admin, flavor_id="1", number="2.1", **more):
    body = {"name": f"m{flavor_id}", "id": flavor_id, "ram": 512, "vcpus": 1, "disk": 1, **more}
    answer = admin.at(number).post("/flavors", {"flavor": body})
    assert answer.status_code == 200, answer.content
    return answer.json()["flavor"]


def test_created_flavor_is_shown_with_links_and_blank_swap(admin, member):
    made = make(admin)
    assert made == member.get("/flavors/1").json()["flavor"]
    assert made["swap"] == ""
    assert made["links"] == [
        {"rel": "self", "href": "http://testserver/compute/v2.1/flavors/1"},
        {"rel": "bookmark", "href": "http://testserver/compute/flavors/1"},
    ]


def test_links_name_the_project_when_the_url_did(admin, member):
    make(admin)
    member.prefix = f"/compute/v2.1/{MINE}"
    hrefs = [link["href"] for link in member.get("/flavors").json()["flavors"][0]["links"]]
    assert hrefs == [
        f"http://testserver/compute/v2.1/{MINE}/flavors/1", f"http://testserver/compute/{MINE}/flavors/1",
    ]


def test_url_of_another_project_is_refused(member):
    member.prefix = f"/compute/v2.1/{THEIRS}"
    answer = member.get("/flavors")
    assert answer.status_code == 400
    assert "Malformed request URL" in fault(answer)


@pytest.mark.parametrize(
    ("number", "added", "gone"),
    [
        ("2.1", {"rxtx_factor", "OS-FLV-DISABLED:disabled"}, {"description", "extra_specs"}),
        ("2.55", {"description"}, {"extra_specs"}),
        ("2.61", {"description", "extra_specs", "rxtx_factor"}, set()),
        ("2.102", {"description", "extra_specs"}, {"rxtx_factor", "OS-FLV-DISABLED:disabled"}),
    ],
)
def test_view_follows_the_microversion(admin, number, added, gone):
    make(admin)
    keys = set(admin.at(number).get("/flavors/detail").json()["flavors"][0])
    assert added <= keys
    assert not gone & keys


def test_swap_is_a_number_from_2_75(admin):
    make(admin)
    assert admin.at("2.75").get("/flavors/1").json()["flavor"]["swap"] == 0


def test_numbers_may_be_text_and_the_id_is_made_when_missing(admin):
    body = {"name": "n", "ram": "64", "vcpus": "1", "disk": "0", "id": None, "os-flavor-access:is_public": "False"}
    made = admin.post("/flavors", {"flavor": body}).json()["flavor"]
    assert (made["ram"], made["disk"], made["os-flavor-access:is_public"]) == (64, 0, False)
    assert len(made["id"]) == 36


@pytest.mark.parametrize(
    "change",
    [
        {"ram": 0}, {"ram": "0"}, {"vcpus": -1}, {"disk": 2**31}, {"name": ""}, {"name": " x"}, {"name": "x" * 256},
        {"name": "a\nb"}, {"name": 7}, {"id": " 1"}, {"id": "a/b"}, {"id": ""}, {"extra": 1}, {"rxtx_factor": 0},
        {"rxtx_factor": "0"}, {"description": "too early"}, {"os-flavor-access:is_public": "perhaps"}, {"swap": None},
        {"ram": "9" * 400}, {"ram": 1.5}, {"id": "x\n"},
    ],
)  # fmt: skip
def test_nonsense_is_refused_and_makes_nothing(admin, change):
    body = {"name": "n", "id": "1", "ram": 512, "vcpus": 1, "disk": 1, **change}
    answer = admin.post("/flavors", {"flavor": body})
    assert answer.status_code == 400
    assert fault(answer)
    assert admin.get("/flavors?is_public=None").json()["flavors"] == []


def test_name_and_id_are_unique(admin):
    make(admin)
    again = {"ram": 1, "vcpus": 1, "disk": 1}
    answer = admin.post("/flavors", {"flavor": {"name": "m1", "id": "2", **again}})
    assert (answer.status_code, fault(answer)) == (409, "Flavor with name m1 already exists.")
    answer = admin.post("/flavors", {"flavor": {"name": "m2", "id": "1", **again}})
    assert (answer.status_code, fault(answer)) == (409, "Flavor with ID 1 already exists.")


def test_only_admins_change_flavors(admin, member):
    make(admin)
    refused = member.post("/flavors", {"flavor": {"name": "n", "ram": 1, "vcpus": 1, "disk": 1}})
    assert refused.status_code == 403
    assert fault(refused) == "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed."
    assert member.delete("/flavors/1").status_code == 403


def test_description_changes_from_2_55_only(admin, member):
    make(admin)
    body = {"flavor": {"description": "small"}}
    assert admin.at("2.54").put("/flavors/1", body).status_code == 404
    assert admin.at("2.55").put("/flavors/1", body).json()["flavor"]["description"] == "small"
    assert member.at("2.55").get("/flavors").json()["flavors"][0]["description"] == "small"
    assert admin.at("2.55").put("/flavors/1", {"flavor": {"ram": 1}}).status_code == 400


def test_deleted_flavor_is_gone(admin):
    make(admin)
    answer = admin.delete("/flavors/1")
    assert (answer.status_code, answer.content) == (202, b"")
    answer = admin.get("/flavors/1")
    assert (answer.status_code, fault(answer)) == (404, "Flavor 1 could not be found.")


def test_pages_follow_markers_and_keep_the_query(admin, member):
    for number in range(5):
        make(admin, str(number), ram=512 + number)
    answer = member.get("/flavors?limit=2&sort_key=memory_mb&sort_dir=desc").json()
    assert [flavor["id"] for flavor in answer["flavors"]] == ["4", "3"]
    (link,) = answer["flavors_links"]
    below = link["href"].removeprefix("http://testserver/compute/v2.1")
    answer = member.get(below).json()
    assert [flavor["id"] for flavor in answer["flavors"]] == ["2", "1"]
    answer = member.get("/flavors?limit=2&sort_key=memory_mb&sort_dir=desc&marker=1").json()
    assert [flavor["id"] for flavor in answer["flavors"]] == ["0"]
    assert "flavors_links" not in answer


@pytest.mark.parametrize("key", ["description", "updated_at", "vcpu_weight", "is_public", "rxtx_factor", "id"])
def test_every_order_can_be_paged(admin, key):
    for number in range(3):
        make(admin, str(number))
    first = admin.get(f"/flavors?limit=1&sort_key={key}").json()["flavors"][0]["id"]
    rest = admin.get(f"/flavors?marker={first}&sort_key={key}").json()["flavors"]
    assert len(rest) == 2


def test_limit_zero_is_an_empty_page(admin):
    make(admin)
    assert admin.get("/flavors?limit=0").json() == {"flavors": []}


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=abc", "marker=nothing", "sort_key=flavour", "sort_dir=up", "minRam=x", "minDisk=1.5",
     "is_public=perhaps", "minRam=%00"],
)  # fmt: skip
def test_nonsense_in_the_query_is_refused(admin, query):
    assert admin.get(f"/flavors?{query}").status_code == 400


def test_unknown_parameters_are_refused_from_2_75(admin):
    assert admin.at("2.74").get("/flavors?colour=red").status_code == 200
    assert admin.at("2.75").get("/flavors?colour=red").status_code == 400
    assert admin.at("2.102").get("/flavors?name=m").status_code == 200
    assert admin.at("2.102").get("/flavors/1?x=1").status_code == 400


def test_minima_filter(admin, member):
    make(admin, "1", ram=512, disk=1)
    make(admin, "2", ram=1024, disk=5)
    assert [one["id"] for one in member.get("/flavors?minRam=513").json()["flavors"]] == ["2"]
    assert [one["id"] for one in member.get("/flavors/detail?minDisk=2").json()["flavors"]] == ["2"]
    assert member.get(f"/flavors?minDisk={'9' * 18}").json()["flavors"] == []


def test_private_flavor_is_seen_by_whom_it_is_granted(admin, member, stranger):
    make(admin, "1", **{"os-flavor-access:is_public": False})
    assert member.get("/flavors/1").status_code == 404
    granted = admin.post("/flavors/1/action", {"addTenantAccess": {"tenant": MINE}})
    assert granted.json() == {"flavor_access": [{"flavor_id": "1", "tenant_id": MINE}]}
    assert admin.get("/flavors/1/os-flavor-access").json() == granted.json()
    assert member.get("/flavors/1").status_code == 200
    assert [one["id"] for one in member.get("/flavors").json()["flavors"]] == ["1"]
    assert stranger.get("/flavors").json()["flavors"] == []
    assert [one["id"] for one in admin.get("/flavors?is_public=false").json()["flavors"]] == ["1"]
    assert admin.post("/flavors/1/action", {"addTenantAccess": {"tenant": MINE}}).status_code == 409
    assert admin.post("/flavors/1/action", {"removeTenantAccess": {"tenant": MINE}}).json() == {"flavor_access": []}
    assert admin.post("/flavors/1/action", {"removeTenantAccess": {"tenant": MINE}}).status_code == 404
    assert member.get("/flavors/1").status_code == 404


def test_access_rules(admin, member):
    make(admin)
    grant = {"addTenantAccess": {"tenant": MINE}}
    assert admin.get("/flavors/1/os-flavor-access").status_code == 404
    assert admin.at("2.7").post("/flavors/1/action", grant).status_code == 409
    assert admin.post("/flavors/1/action", {"addTenantAccess": {"tenant": "nobody"}}).status_code == 400
    assert member.post("/flavors/1/action", grant).status_code == 403
    answer = admin.post("/flavors/1/action", {"dance": {}})
    assert (answer.status_code, fault(answer)) == (400, "There is no such action: dance")
    assert admin.post("/flavors/1/action", {**grant, "dance": {}}).status_code == 400


def test_extra_specs_come_and_go(admin, member):
    make(admin)
    specs = {"hw:cpu_policy": "shared", "quota:cpu_shares": 5}
    answer = admin.post("/flavors/1/os-extra_specs", {"extra_specs": specs})
    assert (answer.status_code, answer.json()) == (200, {"extra_specs": specs})
    assert member.get("/flavors/1/os-extra_specs/quota:cpu_shares").json() == {"quota:cpu_shares": "5"}
    assert admin.put("/flavors/1/os-extra_specs/k", {"k": "v"}).json() == {"k": "v"}
    assert member.get("/flavors/1/os-extra_specs").json()["extra_specs"] == {
        "hw:cpu_policy": "shared", "quota:cpu_shares": "5", "k": "v",
    }
    assert member.at("2.61").get("/flavors/1").json()["flavor"]["extra_specs"]["k"] == "v"
    assert admin.delete("/flavors/1/os-extra_specs/k").status_code == 200
    answer = member.get("/flavors/1/os-extra_specs/k")
    assert (answer.status_code, fault(answer)) == (404, "Flavor 1 has no extra specs with key k.")
    assert admin.delete("/flavors/1/os-extra_specs/k").status_code == 404
    assert member.post("/flavors/1/os-extra_specs", {"extra_specs": {"a": "b"}}).status_code == 403


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("hw:cpu_policy", "shared", 200), ("hw:cpu_policy", "odd", 400), ("hw:nonsense", "1", 400),
        ("quota:cpu_quota", "-1", 200), ("quota:cpu_shares", "-1", 400), ("trait:CUSTOM_X", "required", 200),
        ("trait:CUSTOM_X", "maybe", 400), ("resources:VGPU", "1", 200), ("mine", "anything", 200),
        ("ours:thing", "x", 200), ("hw:mem_page_size", "2MB", 200), ("hw:numa_nodes", "0", 400),
    ],
)  # fmt: skip
def test_extra_specs_of_ours_are_checked_from_2_86(admin, key, value, status):
    make(admin)
    assert admin.at("2.85").put(f"/flavors/1/os-extra_specs/{key}", {key: value}).status_code == 200
    assert admin.at("2.86").put(f"/flavors/1/os-extra_specs/{key}", {key: value}).status_code == status


@pytest.mark.parametrize("body", [{}, {"a": "1", "b": "2"}, {"other": "1"}, {"k": "v" * 256}, {"k": None}, {"k/": "v"}])
def test_malformed_extra_spec_is_refused(admin, body):
    make(admin)
    assert admin.put("/flavors/1/os-extra_specs/k", body).status_code == 400


def test_list_costs_the_same_however_long(admin, member, django_assert_num_queries):
    for number in range(10):
        make(admin, str(number))
    with django_assert_num_queries(1):
        assert len(member.get("/flavors/detail").json()["flavors"]) == 10


@pytest.mark.parametrize(
    ("number", "method", "path", "body"),
    [("2.55", "PUT", "/flavors/1", {"flavor": {"description": "d"}}),
     ("2.1", "PUT", "/flavors/1/os-extra_specs/k", {"k": "v"}),
     ("2.1", "POST", "/flavors/1/action", {"addTenantAccess": {"tenant": MINE}})],
)  # fmt: skip
def test_flavor_removed_in_between_is_not_found(admin, monkeypatch, number, method, path, body):
    make(admin, **{"os-flavor-access:is_public": False})
    before = selectors.get_flavor

    def get_and_lose(context, flavor_id):
        found = before(context, flavor_id)
        Flavor.objects.filter(pk=found.pk).delete()
        return found

    for room in (api.flavors, api.flavor_access, api.flavor_extra_specs):
        monkeypatch.setattr(room, "get_flavor", get_and_lose)
    assert admin.at(number).send(method, path, body).status_code == 404
