"""Accounting of projects, and the list of migrations."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.functional.compute.conftest import MINE, THEIRS, fault
from tests.functional.compute.hosts import make_server

NOW = timezone.now().replace(microsecond=0)


def stamp(hours_ago: float) -> str:
    return (NOW - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.fixture(autouse=True)
def _servers(db):
    make_server("h", MINE, launched_at=NOW - timedelta(hours=10))
    make_server("h", MINE, launched_at=NOW - timedelta(hours=10), terminated_at=NOW - timedelta(hours=4), deleted=True)
    make_server("h", THEIRS, launched_at=NOW - timedelta(hours=1))
    make_server("h", MINE)


PERIOD = f"start={stamp(6)}&end={stamp(2)}"


def test_only_hours_inside_the_period_count(admin):
    (usage,) = admin.get(f"/os-simple-tenant-usage?{PERIOD}&detailed=1").json()["tenant_usages"]
    assert usage["tenant_id"] == MINE
    assert usage["total_hours"] == 4 + 2
    assert usage["total_vcpus_usage"] == 12
    assert usage["total_memory_mb_usage"] == 6 * 1024
    assert sorted(one["state"] for one in usage["server_usages"]) == ["active", "terminated"]
    assert (usage["start"], usage["stop"]) == (stamp(6) + ".000000", stamp(2) + ".000000")
    assert "server_usages" not in admin.get(f"/os-simple-tenant-usage?{PERIOD}").json()["tenant_usages"][0]


def test_a_project_sees_its_own(admin, member):
    assert len(member.get(f"/os-simple-tenant-usage/{MINE}?{PERIOD}").json()["tenant_usage"]["server_usages"]) == 2
    assert member.get(f"/os-simple-tenant-usage/{THEIRS}?{PERIOD}").status_code == 403
    assert admin.get(f"/os-simple-tenant-usage/{THEIRS}?{PERIOD}").json() == {"tenant_usage": {}}
    assert member.get("/os-simple-tenant-usage").status_code == 403


def test_pages_from_2_40(admin):
    at = admin.at("2.40")
    first = at.get(f"/os-simple-tenant-usage/{MINE}?{PERIOD}&limit=1").json()
    below = first["tenant_usage_links"][0]["href"].removeprefix("http://testserver/compute/v2.1")
    second = at.get(below).json()["tenant_usage"]["server_usages"]
    assert second[0]["instance_id"] != first["tenant_usage"]["server_usages"][0]["instance_id"]
    assert at.get(f"/os-simple-tenant-usage?{PERIOD}&marker=none").status_code == 400
    assert "tenant_usages_links" in at.get(f"/os-simple-tenant-usage?{PERIOD}&limit=1").json()


@pytest.mark.parametrize(
    "query", ["start=yesterday", "start=2020-01-02T00:00:00&end=2020-01-01T00:00:00", "end=2011-13-01T00:00:00"]
)
def test_impossible_periods_are_refused(admin, query):
    answer = admin.get(f"/os-simple-tenant-usage?{query}")
    assert answer.status_code == 400
    assert fault(answer)


def test_no_migrations_yet(admin, member):
    for number in ("2.1", "2.59", "2.80", "2.104"):
        assert admin.at(number).get("/os-migrations?host=a").json() == {"migrations": []}
    assert member.get("/os-migrations").status_code == 403
    assert admin.at("2.59").get("/os-migrations?x=y").status_code == 400
    assert admin.at("2.59").get("/os-migrations?marker=m").status_code == 400
    assert admin.at("2.65").get("/os-migrations?changes-before=2020-01-01").status_code == 400
    assert admin.at("2.66").get("/os-migrations?changes-since=2021-01-01&changes-before=2020-01-01").status_code == 400
