"""Why a server is where it is, or nowhere: owners see numbers and flavors, administrators the hosts as well."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from cloud.compute import reasons
from cloud.compute.models import Operation
from cloud.compute.services import operations
from contracts.scheduling import Selected
from tests.factories.boot import make_flavor
from tests.factories.identity import create_user
from tests.factories.scheduling import choose, make_host, make_request, make_table
from tests.functional.compute.conftest import CONTEXTS, MINE, THEIRS, Api, fault
from tests.functional.compute.hosts import make_server

HOSTS = make_table(
    make_host("host-one", memory_mb=4096), make_host("host-two", memory_mb=3000), make_host("host-off", is_up=False)
)


@pytest.fixture
def own(member) -> Api:
    return Api("member", prefix="/novella/v1")


def as_(who: str) -> Api:
    return Api(who, prefix="/novella/v1")


def decide(server, selected: Selected, action: str = "create") -> Operation:
    """An operation of the server that keeps what the scheduler said."""
    (operation,) = operations.begin(CONTEXTS["member"], [server], action, "build")
    trace = reasons.kept(operation.trace, 1, selected, 0)
    Operation.objects.filter(pk=operation.pk).update(trace=trace)
    return operation


def report(api: Api, server) -> list[dict]:
    answer = api.get(f"/servers/{server.uuid}/placement")
    assert answer.status_code == 200, answer.content
    return answer.json()["placement"]["operations"]


def test_an_owner_learns_how_many_hosts_each_filter_left_and_what_would_have_fitted(own):
    for number, memory in enumerate((512, 2048, 4096, 8192)):
        make_flavor(str(number), name=f"m{memory}", vcpus=1, memory_mb=memory, disk_gb=10)
    make_flavor("gpu", name="gpu", vcpus=1, memory_mb=1024, extra_specs={"trait:CUSTOM_GPU": "required"})
    make_flavor("theirs", name="theirs", vcpus=1, memory_mb=1024, is_public=False)
    server = make_server("", MINE)
    decide(server, choose(HOSTS, make_request(memory_mb=9000)))
    (operation,) = report(own, server)
    (decision,) = operation["decisions"]
    assert (decision["placed"], decision["hosts_total"]) == (False, 3)
    counts = {row["name"]: (row["hosts_in"], row["hosts_out"]) for row in decision["filters"]}
    assert (counts["UpFilter"], counts["RamFilter"]) == ((3, 2), (2, 0))
    assert [one["name"] for one in decision["fitting_flavors"]] == ["m4096", "m2048", "m512"]
    assert "host-" not in json.dumps(operation), "hosts are not for owners"


def test_an_administrator_sees_who_missed_by_how_much(own):
    server = make_server("", MINE)
    decide(server, choose(HOSTS, make_request(memory_mb=9000)))
    (decision,) = report(as_("admin"), server)[0]["decisions"]
    miss, other = decision["near_misses"]
    assert (other["filter"], other["nearest"]) == ("UpFilter", [{"host": "host-off", "short_by": None}])
    assert (miss["filter"], miss["hosts"], miss["rules_failed"]) == ("RamFilter", 2, 1)
    assert miss["nearest"] == [{"host": "host-one", "short_by": 4904}, {"host": "host-two", "short_by": 6000}]
    assert decision["largest_room"] == [{"vcpus": 16, "ram": 4096, "disk": 200}]


def test_an_administrator_sees_why_a_host_was_better_than_its_alternates(own):
    server = make_server("", MINE)
    decide(server, choose(HOSTS, make_request(), alternates=2))
    (decision,) = report(as_("admin"), server)[0]["decisions"]
    assert [one["host"] for one in decision["hosts"]] == ["host-one", "host-two"]
    assert decision["hosts"][0]["weights"]["RamWeigher"] == 1.0
    assert decision["hosts"][0]["score"] > decision["hosts"][1]["score"]
    assert "hosts" not in report(own, server)[0]["decisions"][0]


def test_each_attempt_is_told_of_and_their_number_is_bounded(own):
    server = make_server("", MINE)
    operation = decide(server, choose(HOSTS, make_request()))
    trace = {}
    for attempt in range(1, 30):
        trace = reasons.kept(trace, attempt, choose(HOSTS, make_request(), alternates=2), 0)
    trace = reasons.kept(trace, 30, Selected(hosts=[["host-two"]]), 0)
    Operation.objects.filter(pk=operation.pk).update(trace=trace)
    found = [one["attempt"] for one in report(own, server)[0]["decisions"]]
    assert found == list(range(22, 30)), "the last was an alternate, for which nobody was asked"
    assert len(json.dumps(trace)) < 8192


def test_what_an_earlier_release_kept_is_understood(own):
    server = make_server("", MINE)
    operation = decide(server, choose(HOSTS, make_request()))
    old = {"hosts_total": 3, "filters": [{"filter": "RamFilter", "hosts_in": 3, "hosts_out": 0}], "nearest_miss": "Ah."}
    Operation.objects.filter(pk=operation.pk).update(trace=old)
    (decision,) = report(as_("admin"), server)[0]["decisions"]
    assert (decision["filters"][0]["hosts_out"], decision["nearest_miss"], decision["placed"]) == (0, "Ah.", False)


def test_a_server_that_nobody_asked_a_scheduler_for_has_an_empty_report(own):
    server = make_server("", MINE)
    operations.begin(CONTEXTS["member"], [server], "create", "build")
    assert report(own, server) == []


@pytest.mark.parametrize("uuid", ["0f6a9fbe-5f5b-4d4e-9f86-1f3c7a0c0f6a", "nonsense"])
def test_a_server_that_is_not_there_is_not_found(own, uuid):
    answer = own.get(f"/servers/{uuid}/placement")
    assert (answer.status_code, fault(answer)) == (404, f"Instance {uuid} could not be found.")


def test_a_foreign_server_is_not_found(own):
    answer = own.get(f"/servers/{make_server('', THEIRS).uuid}/placement")
    assert answer.status_code == 404
    assert "could not be found" in fault(answer)


def test_a_reader_may_read_and_a_parameter_is_refused(own):
    server = make_server("", MINE)
    assert report(as_("reader"), server) == []
    assert own.at("2.104").get(f"/servers/{server.uuid}/placement?all=1").status_code == 400
    assert own.get("/nothing").status_code == 404


def test_the_command_and_the_pages_tell_it_too(own, client):
    client.force_login(create_user("root", is_staff=True))
    placed, refused = make_server("host-one", MINE), make_server("", MINE)
    decide(placed, choose(HOSTS, make_request(), alternates=1))
    operation = decide(refused, choose(HOSTS, make_request(memory_mb=9000)))
    said = StringIO()
    call_command("server_show", placed.uuid, stdout=said)
    call_command("server_show", refused.uuid, stdout=said)
    assert "placed on host-one, of 2 that would do among 3" in said.getvalue()
    assert "short of MB of memory: host-one by 4904, host-two by 6000" in said.getvalue()
    pages = (
        reverse("admin:compute_instance_change", args=[refused.pk]),
        reverse("admin:compute_operation_change", args=[operation.pk]),
    )
    for page in pages:
        shown = client.get(page).content.decode()
        assert "host-one: 4904 short" in shown
        assert "No other flavor of the project would have fitted." in shown
