"""Hypervisors."""

import json

import pytest

from cloud.compute.models import ComputeNode
from tests.functional.compute.conftest import MINE, fault
from tests.functional.compute.hosts import make_host, make_server


@pytest.fixture(autouse=True)
def _hosts(db):
    make_host("one")
    make_host("two", is_fresh=False)


def details(api, number, query=""):
    return api.at(number).get(f"/os-hypervisors/detail{query}").json()["hypervisors"]


def test_brief_and_full_lists(admin, member):
    assert admin.get("/os-hypervisors").json()["hypervisors"] == [
        {"id": node.id, "hypervisor_hostname": f"{node.host}.example.org", "state": state, "status": "enabled"}
        for node, state in zip(ComputeNode.objects.order_by("id"), ("up", "down"), strict=True)
    ]
    assert member.get("/os-hypervisors").status_code == 403


def test_figures_come_from_the_host_and_from_placement(admin):
    make_server("one", MINE)
    one = details(admin, "2.1")[0]
    assert (one["vcpus"], one["vcpus_used"]) == (8, 2)
    assert (one["memory_mb"], one["memory_mb_used"], one["free_ram_mb"]) == (16384, 1536, 14848)
    assert (one["local_gb_used"], one["free_disk_gb"], one["disk_available_least"]) == (10, 90, 90)
    assert json.loads(one["cpu_info"]) == {"arch": "x86_64"}
    assert details(admin, "2.28")[0]["cpu_info"] == {"arch": "x86_64"}


def test_ids_are_uuids_from_2_53(admin):
    node = ComputeNode.objects.get(host="one")
    one = details(admin, "2.53")[0]
    assert one["id"] == node.uuid
    assert admin.at("2.53").get(f"/os-hypervisors/{node.uuid}").json()["hypervisor"] == one
    assert admin.get(f"/os-hypervisors/{node.id}").json()["hypervisor"]["id"] == node.id
    assert admin.at("2.53").get(f"/os-hypervisors/{node.id}").status_code == 400
    assert admin.get(f"/os-hypervisors/{node.uuid}").status_code == 404
    assert admin.get("/os-hypervisors/99999999999999999999999").status_code == 404


def test_statistics_are_gone_from_2_88(admin):
    assert set(details(admin, "2.88")[0]) == {
        "id", "hypervisor_hostname", "state", "status", "hypervisor_type", "hypervisor_version", "host_ip", "service",
        "uptime",
    }  # fmt: skip
    assert details(admin, "2.88")[0]["uptime"] == "up 3 days"
    assert admin.at("2.88").get("/os-hypervisors/statistics").status_code in (400, 404)
    sums = admin.at("2.87").get("/os-hypervisors/statistics").json()["hypervisor_statistics"]
    assert (sums["count"], sums["vcpus"], sums["memory_mb_used"]) == (2, 16, 1024)


def test_statistics_leave_disabled_hosts_out(admin):
    admin.put("/os-services/disable", {"host": "two", "binary": "nova-compute"})
    assert admin.get("/os-hypervisors/statistics").json()["hypervisor_statistics"]["count"] == 1
    admin.put("/os-services/disable", {"host": "one", "binary": "nova-compute"})
    assert admin.get("/os-hypervisors/statistics").json()["hypervisor_statistics"]["vcpus"] == 0


def test_uptime_needs_the_host(admin):
    one, two = ComputeNode.objects.order_by("id")
    assert admin.get(f"/os-hypervisors/{one.id}/uptime").json()["hypervisor"]["uptime"] == "up 3 days"
    assert admin.get(f"/os-hypervisors/{two.id}/uptime").status_code == 400
    assert admin.at("2.88").get(f"/os-hypervisors/{one.uuid}/uptime").status_code == 404


def test_search_and_servers_until_2_52(admin):
    make_server("one", MINE)
    found = admin.get("/os-hypervisors/ONE.ex/search").json()["hypervisors"]
    assert [one["hypervisor_hostname"] for one in found] == ["one.example.org"]
    found = admin.get("/os-hypervisors/example/servers").json()["hypervisors"]
    assert found[0]["servers"][0]["name"].startswith("instance-")
    assert "servers" not in found[1]
    answer = admin.get("/os-hypervisors/none/search")
    assert (answer.status_code, fault(answer)) == (404, "No hypervisor matching 'none' could be found.")
    assert admin.at("2.53").get("/os-hypervisors/one/search").status_code == 404


def test_pattern_and_servers_from_2_53(admin):
    make_server("one", MINE)
    found = details(admin, "2.53", "?hypervisor_hostname_pattern=one&with_servers=true")
    assert len(found) == len(found[0]["servers"]) == 1
    assert "servers" not in details(admin, "2.53", "?with_servers=true")[1]
    assert details(admin, "2.75", "?with_servers=true")[1]["servers"] == []
    at = admin.at("2.53")
    assert at.get("/os-hypervisors?hypervisor_hostname_pattern=none").status_code == 404
    assert at.get("/os-hypervisors?hypervisor_hostname_pattern=one&limit=1").status_code == 400
    assert at.get("/os-hypervisors?with_servers=perhaps").status_code == 400
    assert at.get("/os-hypervisors?limit=1&limit=2").status_code == 400


@pytest.mark.parametrize("number", ["2.33", "2.53"])
def test_pages(admin, number):
    first = admin.at(number).get("/os-hypervisors/detail?limit=1").json()
    (link,) = first["hypervisors_links"]
    second = admin.at(number).get(link["href"].removeprefix("http://testserver/compute/v2.1")).json()
    assert [one["hypervisor_hostname"] for one in first["hypervisors"] + second["hypervisors"]] == [
        "one.example.org", "two.example.org",
    ]  # fmt: skip
    assert admin.at(number).get("/os-hypervisors?marker=77").status_code == 400


def test_lists_cost_the_same_however_long(admin, django_assert_num_queries):
    for number in range(5):
        make_host(f"more-{number}")
    with django_assert_num_queries(5):
        assert len(details(admin, "2.75", "?with_servers=true")) == 7
