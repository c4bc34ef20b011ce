"""The Placement API, as osc-placement reads it."""

import json
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cloud.core import context
from cloud.core.context import RequestContext
from cloud.core.models import new_uuid
from cloud.placement.models import ResourceProvider
from cloud.placement.services.claims import Claim, claim
from cloud.placement.services.providers import Said, capacity, report

pytestmark = pytest.mark.django_db
ADMIN = RequestContext("req-x", "u", project_id="p", roles=frozenset({"admin", "member", "reader"}))
TOKENS = {"admin": ADMIN, "member": replace(ADMIN, roles=frozenset({"member", "reader"}))}
TOTALS = {"VCPU": 4, "MEMORY_MB": 4096, "DISK_GB": 100}


@pytest.fixture
def get(monkeypatch, settings):
    monkeypatch.setattr(context, "_authenticators", [lambda token, request_id: TOKENS.get(token)])
    settings.CPU_ALLOCATION_RATIO, settings.RAM_ALLOCATION_RATIO = 2.0, 1.0
    settings.DISK_ALLOCATION_RATIO, settings.HOST_RESERVED_MEMORY_MB = 1.0, 512

    def send(path: str, version: str = "", token: str = "admin"):
        headers = {"x-auth-token": token}
        if version:
            headers["openstack-api-version"] = f"placement {version}"
        return Client().get(f"/placement{path}", headers=headers)

    return send


@pytest.fixture
def host(get):
    uuid = new_uuid()
    report([Said("h1", uuid, TOTALS, ["HW_CPU_X86_AVX", "CUSTOM_FAST"])])
    return uuid


def hold(host: str = "h1", **resources: int) -> str:
    consumer = new_uuid()
    claim([Claim(consumer, host, resources or {"VCPU": 1, "MEMORY_MB": 512}, "p", "u")])
    return consumer


def test_the_version_needs_no_token_and_is_echoed(get):
    for path in ("", "/"):
        answer = get(path, token="")
        assert answer.status_code == 200
        (version,) = answer.json()["versions"]
        assert (version["id"], version["min_version"], version["max_version"]) == ("v1.0", "1.0", "1.39")
        assert answer.headers["OpenStack-API-Version"] == "placement 1.0"
    assert get("/resource_providers", "latest").headers["OpenStack-API-Version"] == "placement 1.39"
    assert get("/resource_providers", "1.40").status_code == 406


def test_only_admins_may_look(get, host):
    assert get("/resource_providers", token="").status_code == 401
    refused = get("/resource_providers", token="member")
    assert refused.status_code == 403
    (error,) = refused.json()["errors"]
    assert (error["status"], error["title"]) == (403, "Forbidden")
    assert error["request_id"] == refused.headers["x-openstack-request-id"]


def test_a_provider_grows_with_the_microversions(get, host):
    def keys(version: str) -> tuple[set[str], set[str]]:
        (one,) = get("/resource_providers", version).json()["resource_providers"]
        assert get(f"/resource_providers/{host}", version).json() == one
        return set(one), {link["rel"] for link in one["links"]}

    assert keys("1.0") == ({"uuid", "name", "generation", "links"}, {"self", "inventories", "usages"})
    assert keys("1.39") == (
        {"uuid", "name", "generation", "links", "parent_provider_uuid", "root_provider_uuid"},
        {"self", "inventories", "usages", "aggregates", "traits", "allocations"},
    )


def test_what_a_provider_has_and_gives(get, host):
    consumer = hold()
    url = f"/resource_providers/{host}"
    generation = ResourceProvider.objects.get().generation
    inventories = get(f"{url}/inventories").json()
    assert inventories["resource_provider_generation"] == generation
    assert inventories["inventories"]["VCPU"] == {
        "total": 4, "reserved": 0, "min_unit": 1, "max_unit": capacity(4, 0, 2.0), "step_size": 1,
        "allocation_ratio": 2.0}
    assert get(f"{url}/inventories/MEMORY_MB").json()["reserved"] == 512
    assert get(f"{url}/usages").json()["usages"] == {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 0}
    assert get(f"{url}/traits", "1.6").json()["traits"] == ["CUSTOM_FAST", "HW_CPU_X86_AVX"]
    assert get(f"{url}/aggregates", "1.1").json() == {"aggregates": []}
    held = get(f"{url}/allocations", "1.28").json()["allocations"]
    assert held == {consumer: {"resources": {"VCPU": 1, "MEMORY_MB": 512}, "consumer_generation": 1}}


def test_what_is_above_the_version_is_not_there(get, host):
    for path, too_old in (("/traits", "1.5"), ("/resource_classes", "1.1"), ("/usages?project_id=p", "1.8"),
                          ("/allocation_candidates?resources=VCPU:1", "1.9"),
                          (f"/resource_providers/{host}/aggregates", "1.0")):
        assert get(path, too_old).status_code == 404, path
    for path in ("/resource_providers?resources=VCPU:1", "/resource_providers?in_tree=" + host):
        assert get(path, "1.3").status_code == 400, path


def test_a_consumers_allocations(get, host):
    consumer = hold()
    assert get(f"/allocations/{new_uuid()}").json() == {"allocations": {}}
    first = get(f"/allocations/{consumer}").json()
    assert first["allocations"][host]["resources"] == {"VCPU": 1, "MEMORY_MB": 512}
    assert set(first) == {"allocations"}
    last = get(f"/allocations/{consumer}", "1.39").json()
    assert (last["project_id"], last["user_id"], last["consumer_generation"], last["consumer_type"]) == (
        "p", "u", 1, "INSTANCE")


def test_a_projects_usages(get, host):
    hold()
    hold()
    assert get("/usages?project_id=p", "1.9").json() == {"usages": {"VCPU": 2, "MEMORY_MB": 1024}}
    assert get("/usages?project_id=p&user_id=other", "1.9").json() == {"usages": {}}
    assert get("/usages?project_id=p", "1.38").json() == {
        "usages": {"INSTANCE": {"VCPU": 2, "MEMORY_MB": 1024, "consumer_count": 2}}}
    assert get("/usages", "1.9").status_code == 400


def test_providers_are_found_by_name_room_traits_tree_and_aggregate(get, host):
    other = new_uuid()
    report([Said("h2", other, {**TOTALS, "VCPU": 1}, ["CUSTOM_FAST"])])
    aggregate = new_uuid()
    ResourceProvider.objects.filter(name="h2").update(aggregates=[aggregate])

    def names(query: str) -> list[str]:
        answer = get(f"/resource_providers?{query}", "1.39")
        assert answer.status_code == 200, answer.content
        return [one["name"] for one in answer.json()["resource_providers"]]

    assert names("name=h2") == ["h2"]
    assert names(f"uuid={host}") == ["h1"]
    assert names(f"in_tree={host}") == ["h1"]
    assert names(f"in_tree={new_uuid()}") == []
    assert names("resources=VCPU:2") == ["h1", "h2"]
    assert names("resources=VCPU:3,MEMORY_MB:1") == ["h1"]
    assert names("required=CUSTOM_FAST") == ["h1", "h2"]
    assert names("required=CUSTOM_FAST,!HW_CPU_X86_AVX") == ["h2"]
    assert names("required=in:HW_CPU_X86_AVX,CUSTOM_OTHER") == ["h1"]
    assert names(f"member_of={aggregate}") == ["h2"]
    assert names(f"member_of=!in:{aggregate},{new_uuid()}") == ["h1"]
    hold(VCPU=6)
    assert names("resources=VCPU:3") == []


@pytest.mark.parametrize("query", [
    "nonsense=1", "resources=VCPU", "resources=VCPU:0", "resources=VCPU:-1", "resources=VCPU:99999999999999999999",
    "uuid=x", "member_of=x", "required=a%20b", "required=", "name=a%00b", "name=a&name=b",
])
def test_a_bad_query_is_refused_in_placements_shape(get, query):
    answer = get(f"/resource_providers?{query}", "1.39")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"]


def test_candidates_are_where_there_is_room(get, host):
    report([Said("h2", new_uuid(), {**TOTALS, "VCPU": 1})])
    old = get("/allocation_candidates?resources=VCPU:3", "1.10").json()
    assert old["allocation_requests"] == [
        {"allocations": [{"resource_provider": {"uuid": host}, "resources": {"VCPU": 3}}]}]
    assert old["provider_summaries"] == {host: {"resources": {"VCPU": {"capacity": 8, "used": 0}}}}
    new = get("/allocation_candidates?resources=VCPU:3&required=CUSTOM_FAST&limit=1", "1.39").json()
    assert new["allocation_requests"] == [
        {"allocations": {host: {"resources": {"VCPU": 3}}}, "mappings": {"": [host]}}]
    summary = new["provider_summaries"][host]
    assert set(summary["resources"]) == set(TOTALS)
    assert summary["root_provider_uuid"] == host
    assert get("/allocation_candidates", "1.39").status_code == 400


def test_words(get, host):
    assert [one["name"] for one in get("/resource_classes", "1.2").json()["resource_classes"]] == sorted(TOTALS)
    assert get("/resource_classes/VCPU", "1.2").json()["name"] == "VCPU"
    assert get("/resource_classes/NONE", "1.2").status_code == 404
    assert get("/traits?name=startswith:CUSTOM", "1.6").json() == {"traits": ["CUSTOM_FAST"]}
    assert get("/traits?name=in:CUSTOM_FAST,X", "1.6").json() == {"traits": ["CUSTOM_FAST"]}
    assert get("/traits?name=odd", "1.6").status_code == 400
    assert (get("/traits/CUSTOM_FAST", "1.6").status_code, get("/traits/X", "1.6").status_code) == (204, 404)


def test_an_unknown_provider_is_not_found(get):
    for path in ("", "/inventories", "/usages", "/allocations", "/aggregates", "/traits", "/inventories/VCPU"):
        answer = get(f"/resource_providers/{new_uuid()}{path}", "1.39")
        assert answer.status_code == 404
        assert json.loads(answer.content)["errors"][0]["status"] == 404


def test_children_know_their_root(get, host):
    parent = ResourceProvider.objects.get(uuid=host)
    child = ResourceProvider.objects.create(name="child", parent=parent)
    grandchild = ResourceProvider.objects.create(name="grandchild", parent=child)
    body = get(f"/resource_providers/{grandchild.uuid}", "1.14").json()
    assert (body["parent_provider_uuid"], body["root_provider_uuid"]) == (child.uuid, host)
    found = get(f"/resource_providers?in_tree={grandchild.uuid}", "1.14").json()["resource_providers"]
    assert {one["name"] for one in found} == {"h1", "child", "grandchild"}


def test_lists_cost_the_same_for_any_number(get):
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert get(path, "1.39").status_code == 200
        return len(queries)

    paths = ("/resource_providers", "/allocation_candidates?resources=VCPU:1")
    report([Said("first", new_uuid(), TOTALS)])
    before = [cost(path) for path in paths]
    for number in range(5):
        report([Said(f"h{number}", new_uuid(), TOTALS)])
    assert [cost(path) for path in paths] == before
