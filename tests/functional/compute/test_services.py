"""Services, hosts and availability zones."""

import pytest

from cloud.compute.models import Aggregate, AggregateHost, ComputeNode, Service
from cloud.placement.models import ResourceProvider
from tests.functional.compute.conftest import MINE, fault
from tests.functional.compute.hosts import make_host, make_server


@pytest.fixture(autouse=True)
def _hosts(db):
    make_host("one")
    make_host("two", is_fresh=False)
    make_host("control", binary="nova-conductor")
    AggregateHost.objects.create(
        aggregate=Aggregate.objects.create(name="a", metadata={"availability_zone": "east"}), host="two"
    )


def rows(api, query="", number="2.1"):
    return {row["host"]: row for row in api.at(number).get(f"/os-services{query}").json()["services"]}


def test_services_have_state_status_and_zone(admin):
    found = rows(admin, number="2.11")
    assert [(row["state"], row["status"], row["zone"]) for row in found.values()] == [
        ("up", "enabled", "nova"), ("down", "enabled", "east"), ("up", "enabled", "internal"),
    ]  # fmt: skip
    assert isinstance(found["one"]["id"], int)
    assert found["one"]["forced_down"] is False
    assert "forced_down" not in rows(admin)["one"]
    assert isinstance(rows(admin, number="2.53")["one"]["id"], str)


def test_filters(admin, member):
    assert list(rows(admin, "?host=two")) == ["two"]
    assert list(rows(admin, "?binary=nova-conductor")) == ["control"]
    assert rows(admin, "?host=none") == {}
    assert admin.at("2.75").get("/os-services?x=y").status_code == 400
    assert member.get("/os-services").status_code == 403


def test_list_costs_two_queries(admin, django_assert_num_queries):
    with django_assert_num_queries(2):
        admin.get("/os-services")


def test_disable_and_enable_by_path(admin):
    target = {"host": "one", "binary": "nova-compute"}
    answer = admin.put("/os-services/disable-log-reason", {**target, "disabled_reason": "broken fan"})
    assert answer.json() == {"service": {**target, "status": "disabled", "disabled_reason": "broken fan"}}
    assert rows(admin)["one"]["disabled_reason"] == "broken fan"
    assert admin.put("/os-services/enable", target).json() == {"service": {**target, "status": "enabled"}}
    assert rows(admin)["one"]["disabled_reason"] is None
    assert admin.put("/os-services/disable", target).json() == {"service": {**target, "status": "disabled"}}


def test_force_down_by_path_from_2_11(admin):
    body = {"host": "one", "binary": "nova-compute", "forced_down": True}
    assert admin.put("/os-services/force-down", {"host": "one", "binary": "nova-compute"}).status_code == 404
    assert admin.at("2.11").put("/os-services/force-down", body).json() == {"service": body}
    assert rows(admin)["one"]["state"] == "down"


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [("enable", {"host": "none"}, 404), ("enable", {"binary": "nova-conductor", "host": "control"}, 400),
     ("dance", {}, 404), ("disable-log-reason", {}, 400), ("enable", {"host": "a b"}, 400),
     ("enable", {"forced_down": True}, 400), ("disable-log-reason", {"disabled_reason": ""}, 400)],
)  # fmt: skip
def test_nonsense_by_path_is_refused(admin, path, change, status):
    answer = admin.put(f"/os-services/{path}", {"host": "one", "binary": "nova-compute", **change})
    assert answer.status_code == status


def test_change_by_uuid_from_2_53(admin):
    uuid = Service.objects.get(host="one").uuid
    put = admin.at("2.53").put
    answer = put(f"/os-services/{uuid}", {"status": "disabled", "disabled_reason": "r", "forced_down": True})
    view = answer.json()["service"]
    assert (view["status"], view["disabled_reason"], view["forced_down"], view["state"]) == (
        "disabled", "r", True, "down",
    )  # fmt: skip
    assert put(f"/os-services/{uuid}", {"status": "enabled"}).json()["service"]["disabled_reason"] is None
    assert put(f"/os-services/{uuid}", {}).status_code == 400
    assert put(f"/os-services/{uuid}", {"status": "enabled", "disabled_reason": "r"}).status_code == 400
    assert put("/os-services/enable", {"status": "enabled"}).status_code == 400
    assert put(f"/os-services/{'0' * 32}", {"status": "enabled"}).status_code == 404
    control = Service.objects.get(host="control").uuid
    assert put(f"/os-services/{control}", {"status": "disabled"}).status_code == 400


def test_deleted_service_takes_its_host_along(admin):
    number = Service.objects.get(host="two").id
    assert admin.delete(f"/os-services/{number}").status_code == 204
    assert not ComputeNode.objects.filter(host="two").exists()
    assert not ResourceProvider.objects.filter(name="two").exists()
    assert not AggregateHost.objects.filter(host="two").exists()
    assert admin.delete(f"/os-services/{number}").status_code == 404
    assert admin.delete("/os-services/x").status_code == 400
    assert admin.at("2.53").delete("/os-services/7").status_code == 400


def test_service_of_a_host_with_servers_stays(admin):
    make_server("one", MINE)
    answer = admin.delete(f"/os-services/{Service.objects.get(host='one').id}")
    assert (answer.status_code, "hosting instances" in fault(answer)) == (409, True)
    assert ComputeNode.objects.filter(host="one").exists()


def all_zones(admin):
    found = admin.get("/os-availability-zone/detail").json()["availabilityZoneInfo"]
    return {zone["zoneName"]: zone for zone in found}


def test_zones_of_everybody_and_of_admins(admin, member):
    assert member.get("/os-availability-zone").json()["availabilityZoneInfo"] == [
        {"zoneName": "east", "zoneState": {"available": True}, "hosts": None},
        {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None},
    ]
    assert member.get("/os-availability-zone/detail").status_code == 403
    whole = all_zones(admin)
    assert set(whole) == {"east", "nova", "internal"}
    found = whole["nova"]["hosts"]["one"]["nova-compute"]
    assert (found["available"], found["active"]) == (True, True)
    assert whole["east"]["hosts"]["two"]["nova-compute"]["available"] is False


def test_zone_with_disabled_hosts_only_is_not_available(admin, member):
    admin.put("/os-services/disable", {"host": "two", "binary": "nova-compute"})
    assert all_zones(admin)["east"] == {"zoneName": "east", "zoneState": {"available": False}, "hosts": None}


def test_hosts_until_2_42(admin):
    assert admin.get("/os-hosts").json()["hosts"] == [
        {"host_name": "one", "service": "compute", "zone": "nova"},
        {"host_name": "two", "service": "compute", "zone": "east"},
        {"host_name": "control", "service": "conductor", "zone": "internal"},
    ]
    assert [row["host_name"] for row in admin.get("/os-hosts?zone=east").json()["hosts"]] == ["two"]
    assert admin.at("2.43").get("/os-hosts").status_code == 404


def test_host_shows_what_projects_hold(admin):
    make_server("one", MINE)
    resources = {row["resource"]["project"]: row["resource"] for row in admin.get("/os-hosts/one").json()["host"]}
    assert resources["(total)"] == {"host": "one", "project": "(total)", "cpu": 8, "memory_mb": 16384, "disk_gb": 100}
    assert resources["(used_now)"]["memory_mb"] == 1024 + 512
    assert resources["(used_max)"]["cpu"] == resources[MINE]["cpu"] == 2
    assert admin.get("/os-hosts/none").status_code == 404


def test_host_is_switched_off_for_new_servers_only(admin):
    assert admin.put("/os-hosts/one", {"status": "disable"}).json() == {"host": "one", "status": "disabled"}
    assert rows(admin)["one"]["status"] == "disabled"
    assert admin.put("/os-hosts/one", {"status": "enable", "maintenance_mode": "enable"}).status_code == 501
    assert rows(admin)["one"]["status"] == "disabled"
    assert admin.get("/os-hosts/one/reboot").status_code == 501
    assert admin.get("/os-hosts/none/startup").status_code == 404
    assert admin.put("/os-hosts/one", {}).status_code == 400
