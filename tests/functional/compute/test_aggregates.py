"""Host aggregates."""

import pytest

from tests.functional.compute.conftest import MINE, fault
from tests.functional.compute.hosts import make_host, make_server


@pytest.fixture(autouse=True)
def _hosts(db):
    make_host("one")
    make_host("two")


def make(admin, name="a", zone=None):
    body = {"name": name} | ({"availability_zone": zone} if zone else {})
    return admin.post("/os-aggregates", {"aggregate": body}).json()["aggregate"]


def act(admin, aggregate, name, **body):
    return admin.post(f"/os-aggregates/{aggregate['id']}/action", {name: body})


def test_made_aggregate_is_shown(admin):
    made = make(admin, zone="east")
    assert "hosts" not in made
    assert "metadata" not in made
    shown = admin.get(f"/os-aggregates/{made['id']}").json()["aggregate"]
    assert shown == {**made, "hosts": [], "metadata": {"availability_zone": "east"}}
    assert (shown["deleted"], shown["deleted_at"], shown["updated_at"]) == (False, None, None)
    assert "uuid" not in shown
    assert "uuid" in admin.at("2.41").get("/os-aggregates").json()["aggregates"][0]


def test_update_renames_and_moves(admin):
    made = make(admin)
    put = admin.put(f"/os-aggregates/{made['id']}", {"aggregate": {"name": " b ", "availability_zone": "west"}})
    view = put.json()["aggregate"]
    assert (view["name"], view["availability_zone"]) == ("b", "west")
    assert view["updated_at"]
    put = admin.put(f"/os-aggregates/{made['id']}", {"aggregate": {"availability_zone": None}})
    assert put.json()["aggregate"]["availability_zone"] is None


def test_names_are_unique(admin):
    make(admin)
    answer = admin.post("/os-aggregates", {"aggregate": {"name": "a"}})
    assert (answer.status_code, fault(answer)) == (409, "Aggregate a already exists.")
    other = make(admin, "b")
    assert admin.put(f"/os-aggregates/{other['id']}", {"aggregate": {"name": "a"}}).status_code == 409


def test_hosts_come_and_go(admin):
    made = make(admin)
    assert act(admin, made, "add_host", host="one").json()["aggregate"]["hosts"] == ["one"]
    assert act(admin, made, "add_host", host="one").status_code == 409
    assert act(admin, made, "add_host", host="none").status_code == 404
    answer = admin.delete(f"/os-aggregates/{made['id']}")
    assert (answer.status_code, "not empty" in fault(answer)) == (400, True)
    assert act(admin, made, "remove_host", host="one").json()["aggregate"]["hosts"] == []
    answer = act(admin, made, "remove_host", host="one")
    assert (answer.status_code, fault(answer)) == (404, f"Cannot remove host one in aggregate {made['id']}")
    assert admin.delete(f"/os-aggregates/{made['id']}").status_code == 200
    assert admin.get(f"/os-aggregates/{made['id']}").status_code == 404


def test_metadata_are_merged_and_none_removes(admin):
    made = make(admin)
    act(admin, made, "set_metadata", metadata={"ssd": "true", "gpu": "1"})
    answer = act(admin, made, "set_metadata", metadata={"ssd": None, "availability_zone": "east"})
    view = answer.json()["aggregate"]
    assert view["metadata"] == {"gpu": "1", "availability_zone": "east"}
    assert view["availability_zone"] == "east"


def test_host_is_in_one_zone_at_most(admin):
    east, west, plain = make(admin, "e", "east"), make(admin, "w", "west"), make(admin, "p")
    act(admin, east, "add_host", host="one")
    answer = act(admin, west, "add_host", host="one")
    assert (answer.status_code, "already in availability zone(s) ['east']" in fault(answer)) == (409, True)
    assert act(admin, plain, "add_host", host="one").status_code == 200
    put = admin.put(f"/os-aggregates/{plain['id']}", {"aggregate": {"availability_zone": "west"}})
    assert put.status_code == 400
    assert act(admin, plain, "set_metadata", metadata={"availability_zone": "west"}).status_code == 400
    assert act(admin, plain, "set_metadata", metadata={"availability_zone": "east"}).status_code == 200
    zones = {row["host"]: row["zone"] for row in admin.get("/os-services").json()["services"]}
    assert zones == {"one": "east", "two": "nova"}


def test_host_with_servers_keeps_its_zone(admin):
    east, plain = make(admin, "e", "east"), make(admin, "p")
    act(admin, east, "add_host", host="one")
    make_server("one", MINE)
    make_server("two", MINE)
    assert act(admin, east, "remove_host", host="one").status_code == 409
    assert act(admin, east, "add_host", host="two").status_code == 409
    put = admin.put(f"/os-aggregates/{east['id']}", {"aggregate": {"availability_zone": "west"}})
    assert put.status_code == 400
    assert admin.put(f"/os-aggregates/{east['id']}", {"aggregate": {"name": "new"}}).status_code == 200
    assert act(admin, plain, "add_host", host="two").status_code == 200
    assert act(admin, plain, "remove_host", host="two").status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": "x" * 256}, {}, {"name": "a", "availability_zone": "a:b"}, {"name": "a", "hosts": []},
     {"name": "a", "availability_zone": ""}, {"name": "a", "availability_zone": 7}],
)  # fmt: skip
def test_nonsense_is_refused(admin, body):
    assert admin.post("/os-aggregates", {"aggregate": body}).status_code == 400
    assert admin.get("/os-aggregates").json() == {"aggregates": []}


def test_nonsense_below_is_refused(admin, member):
    made = make(admin)
    path = f"/os-aggregates/{made['id']}"
    assert admin.put(path, {"aggregate": {}}).status_code == 400
    assert act(admin, made, "add_host", host="a b").status_code == 400
    assert act(admin, made, "set_metadata", metadata={"a": 1}).status_code == 400
    assert act(admin, made, "dance").status_code == 400
    assert admin.get("/os-aggregates/x").status_code == 400
    assert admin.get("/os-aggregates/99999999999999999999999").status_code == 404
    assert admin.get("/os-aggregates/-1").status_code == 404
    for answer in (member.get("/os-aggregates"), member.post(f"{path}/action", {"add_host": {"host": "one"}}),
                   member.delete(path), member.post("/os-aggregates", {"aggregate": {"name": "z"}})):  # fmt: skip
        assert answer.status_code == 403


def test_list_costs_two_queries(admin, django_assert_num_queries):
    for number in range(4):
        make(admin, f"a{number}")
    with django_assert_num_queries(2):
        assert len(admin.get("/os-aggregates").json()["aggregates"]) == 4
