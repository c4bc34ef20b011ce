"""Dry runs refuse what the real request refuses, in the same words, and change nothing. See conductor/test_moves."""

import re
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from cloud.compute import states
from cloud.compute.models import Instance, ServerGroup, ServerGroupMember
from cloud.compute.services import considering
from cloud.core import rpc
from cloud.identity.services import quotas
from contracts.scheduling import MOST_CONSIDERED, ConsiderDestinations, Considered, RequestSpec
from scheduler.service.entries import Entry
from scheduler.service.known_hosts import KnownHosts
from tests.factories.boot import make_flavor
from tests.factories.identity import create_user
from tests.factories.instances import make_image
from tests.factories.scheduling import make_host as make_state
from tests.functional.compute.conftest import MINE, THEIRS, Api, fault
from tests.functional.compute.hosts import make_host, make_server

NOBODY = "0f6a9fbe-5f5b-4d4e-9f86-1f3c7a0c0f6a"
FLAVOR = {"flavorid": "1", "name": "m1", "vcpus": 2, "memory_mb": 1024, "disk_gb": 10, "ephemeral_gb": 0, "swap_mb": 0}


def rows() -> dict[str, list[tuple]]:
    """Everything that the database holds."""
    return {
        model._meta.label: sorted(map(str, model.objects.values_list()))
        for model in apps.get_models() if model.objects.exists()
    }  # fmt: skip


@pytest.fixture
def own(_identities) -> Api:
    make_flavor(vcpus=1, memory_mb=512)
    make_flavor("large", vcpus=4, memory_mb=4096, disk_gb=40)
    return Api("member", "2.104", "/novella/v1")


def as_(who: str, api: Api) -> Api:
    return Api(who, api.number, api.prefix)


def asked(**more) -> dict:
    return {"server": {"name": "s", "flavorRef": "1", "imageRef": make_image().id, "networks": "none", **more}}


def refused(api: Api, action: str, body) -> tuple[int, str]:
    """The status and the sentence of a refusal that left every row as it was."""
    before = rows()
    answer = api.post("/dry-runs", {action: body})
    said = answer.status_code, fault(answer)
    assert rows() == before
    return said


CREATES = {
    "flavor": ({"flavorRef": "none"}, 400),
    "image": ({"imageRef": NOBODY}, 400),
    "no image": ({"imageRef": ""}, 400),
    "key": ({"key_name": "none"}, 400),
    "zone": ({"availability_zone": "nowhere"}, 400),
    "host": ({"host": "somewhere"}, 403),
    "network": ({"networks": [{"uuid": NOBODY}]}, 400),
    "name": ({"name": ""}, 400),
    "additional": ({"colour": "red"}, 400),
    "counts": ({"min_count": 3, "max_count": 2}, 400),
    "too many": ({"min_count": 1001}, 400),
}


@pytest.mark.parametrize("case", CREATES)
def test_a_create_is_refused_as_the_real_one(own, case):
    change, status = CREATES[case]
    body = asked(**change)
    said = refused(own, "create", body)
    real = Api("member", "2.104").post("/servers", body)
    assert said == (real.status_code, fault(real))
    assert said[0] == status


def test_quotas_refuse_and_nothing_is_reserved(own):
    quotas.set_limits(MINE, {"instances": 2})
    assert refused(own, "create", asked(min_count=3))[0] == 403
    assert quotas.usages(MINE, ["instances"]) == {"instances": 0}


def test_a_group_and_a_hint_of_another_project_are_not_there(own):
    theirs = make_server("", THEIRS)
    body = {**asked(), "os:scheduler_hints": {"same_host": theirs.uuid}}
    assert refused(own, "create", body)[0] == 400
    body = {**asked(), "os:scheduler_hints": {"group": NOBODY}}
    assert refused(own, "create", body)[0] == 400


def test_a_client_token_that_is_none_is_refused(own):
    body = {**asked(), "os:scheduler_hints": {"client_token": "!"}}
    assert refused(own, "create", body)[0] == 400


def mine(**columns):
    make_host("h1")
    spec = {"vcpus": 2, "memory_mb": 1024, "disk_gb": 10}
    return make_server("h1", MINE, **{"flavor": FLAVOR, "task_state": "", "request_spec": spec, **columns})


RESIZES = {
    "flavor": ({}, "none", 400),
    "the same flavor": ({}, "1", 400),
    "state": ({"vm_state": states.ERROR}, "large", 409),
    "busy": ({"task_state": "deleting"}, "large", 409),
    "locked": ({"locked": True, "locked_by": "admin"}, "large", 409),
}


@pytest.mark.parametrize("case", RESIZES)
def test_a_resize_is_refused_as_the_real_one(own, case):
    columns, flavor, status = RESIZES[case]
    server = mine(**columns)
    said = refused(own, "resize", {"server": server.uuid, "flavor": flavor})
    real = Api("member").post(f"/servers/{server.uuid}/action", {"resize": {"flavorRef": flavor}})
    assert said == (real.status_code, fault(real))
    assert said[0] == status


MIGRATES = {"unknown host": ("nowhere", 400), "its own host": ("h1", 400)}


@pytest.mark.parametrize("case", MIGRATES)
def test_a_migration_is_refused_as_the_real_one(own, case):
    host, status = MIGRATES[case]
    server = mine()
    said = refused(as_("admin", own), "migrate", {"server": server.uuid, "host": host})
    real = Api("admin", "2.56").post(f"/servers/{server.uuid}/action", {"migrate": {"host": host}})
    assert said == (real.status_code, fault(real))
    assert said[0] == status


@pytest.mark.parametrize("uuid", [NOBODY, "nonsense", "theirs"])
def test_a_server_that_is_not_mine_is_not_there(own, uuid):
    uuid = make_server("", THEIRS).uuid if uuid == "theirs" else uuid
    assert refused(own, "resize", {"server": uuid, "flavor": "large"}) \
        == (404, f"Instance {uuid} could not be found.")


def test_only_administrators_may_ask_where_servers_of_a_host_go(own):
    server = mine()
    assert refused(own, "migrate", {"server": server.uuid})[0] == 403
    assert refused(own, "drain", {"host": "h1"})[0] == 403
    assert refused(as_("reader", own), "create", asked())[0] == 403
    assert refused(as_("admin", own), "drain", {"host": "nowhere"}) == (404, "Compute host nowhere could not be found.")


@pytest.mark.parametrize("body", [
    None, [], "create", {}, {"create": {}, "drain": {}}, {"explode": {}}, {"create": {}}, {"create": {"server": 1}},
    {"resize": {"server": NOBODY}}, {"resize": {"server": 7, "flavor": "1"}}, {"resize": {"server": "", "flavor": "1"}},
    {"migrate": None}, {"migrate": {"server": NOBODY, "host": "a b"}}, {"drain": {}}, {"drain": {"host": ""}},
    {"drain": {"host": "h1", "force": True}},
])  # fmt: skip
def test_a_body_that_is_none_is_refused(own, body):
    before = rows()
    answer = as_("admin", own).send("POST", "/dry-runs", body)
    assert answer.status_code == 400, answer.content
    assert fault(answer)
    assert rows() == before


def test_without_a_broker_it_says_so_and_changes_nothing(own):
    body = asked()
    before = rows()
    answer = own.post("/dry-runs", {"create": body})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert fault(answer) == "No scheduler answered in time; try again shortly."
    assert rows() == before


@pytest.fixture
def scheduler(monkeypatch) -> list[ConsiderDestinations]:
    """A scheduler in this process, that knows two large hosts and h1; what it was asked."""
    hosts, messages = KnownHosts(promise_seconds=15), []
    states = [make_state(name, vcpus=2000, memory_mb=600_000, disk_gb=50_000) for name in ("h1", "h2", "h3")]
    hosts.apply(Entry(is_full=True, states=states, names={one.host for one in states}))

    def consider(message: ConsiderDestinations, _: float) -> Considered:
        wire = message.to_wire()
        messages.append(ConsiderDestinations.from_wire(wire))
        return Considered.from_wire(hosts.consider(messages[-1]).to_wire())

    monkeypatch.setattr(rpc, "consider", consider)
    return messages


def fill(count: int, memory_mb: int = 1024) -> list[Instance]:
    """So many servers on h1."""
    spec, now = RequestSpec(vcpus=1, memory_mb=memory_mb, disk_gb=10).to_wire(), timezone.now()
    return Instance.objects.bulk_create(
        Instance(project_id=MINE, user_id="u", display_name=f"s{number}", host="h1", vm_state="active", task_state="",
                 flavor=FLAVOR, request_spec=spec, created_at=now, updated_at=now)
        for number in range(count)
    )  # fmt: skip


def test_a_drain_of_a_thousand_servers_is_bounded(own, scheduler, django_assert_max_num_queries):
    make_host("h1")
    for number in range(10):
        fill(105, memory_mb=1024 + number)
    with django_assert_max_num_queries(8):
        answer = as_("admin", own).post("/dry-runs", {"drain": {"host": "h1"}})
    run = answer.json()["dry_run"]
    assert (run["servers_considered"], run["servers_not_considered"], run["would_succeed"]) == (1000, 50, False)
    assert run["servers_placed"] == 1000
    assert {one["host"] for one in run["servers"]} == {"h2", "h3"}
    assert len(scheduler) <= 30
    assert all(sum(one.count for one in message.questions) <= MOST_CONSIDERED for message in scheduler)
    assert len(scheduler[-1].taken) == 2, "summed up by host"
    assert len(answer.content) < 200_000


def test_a_full_cloud_answers_within_bounds_too(own, scheduler):
    make_host("h1")
    fill(300, memory_mb=700_000)
    answer = as_("admin", own).post("/dry-runs", {"drain": {"host": "h1"}})
    assert answer.json()["dry_run"]["servers_placed"] == 0
    assert len(answer.content) < 300_000


def test_members_of_a_group_know_of_those_that_were_placed_before_them(own, scheduler):
    make_host("h1")
    group = ServerGroup.objects.create(project_id=MINE, user_id="u", name="g", policy="anti-affinity")
    for memory in (1024, 2048, 4096):
        (one,) = fill(1, memory)
        spec = {**one.request_spec, "group_policy": "anti-affinity"}
        Instance.objects.filter(pk=one.pk).update(request_spec=spec)
        ServerGroupMember.objects.create(group=group, instance_uuid=one.uuid)
    run = as_("admin", own).post("/dry-runs", {"drain": {"host": "h1"}}).json()["dry_run"]
    assert [one["host"] is not None for one in run["servers"]] == [True, True, False]
    assert {one["host"] for one in run["servers"][:2]} == {"h2", "h3"}
    assert "free of the server group" in run["servers"][2]["message"]


def test_an_owner_learns_of_numbers_and_flavors_only(own, scheduler):
    make_flavor("huge", vcpus=2, memory_mb=900_000, disk_gb=10)
    quotas.set_limits(MINE, {"ram": -1})
    answer = own.post("/dry-runs", {"create": asked(flavorRef="huge")})
    (server,) = answer.json()["dry_run"]["servers"]
    assert server["message"] == "No valid host was found. 3 hosts: 3 enabled, 3 up, 0 with enough memory."
    assert [one["name"] for one in server["decision"]["fitting_flavors"]] == ["flavor-large", "flavor-1"]
    assert not {"h1", "h2", "h3"} & set(re.findall(r"\w+", answer.content.decode()))


def test_a_scheduler_that_takes_its_time_is_not_waited_for_forever(own, scheduler, monkeypatch):
    monkeypatch.setattr(considering, "_ALL_ANSWERS_SECONDS", 0.0)
    answer = own.post("/dry-runs", {"create": asked()})
    assert answer.status_code == 503
    assert "too busy" in fault(answer)


def run(*arguments: str) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("dry_run", *arguments, stdout=said)
    except SystemExit as end:
        return int(end.code), said.getvalue()
    return 0, said.getvalue()


def test_the_command_prints_who_would_go_where(own, scheduler):
    make_host("h1")
    fill(2)
    fill(1, memory_mb=700_000)
    status, said = run("drain", "h1")
    assert status == 1
    assert "2 of 3 servers of h1 would find a host" in said
    assert re.search(r"s1 +\S+ +h[23]\n", said)
    assert "short of MB of memory: h" in said
    (one,) = fill(1)
    status, said = run("migrate", one.uuid)
    assert status == 0
    assert re.match(r"placed on h[23], of 2 that would do among 3\n  chosen     h[23]", said)
    status, said = run("create", "large", make_image(name="tiny").name, "--project", MINE, "--count", "2")
    assert (status, said.count("dry-run-")) == (0, 2)
    assert run("resize", one.uuid, "large")[0] == 0


@pytest.mark.parametrize(("words", "sentence"), [
    (("drain", "nowhere"), "Compute host nowhere could not be found."),
    (("migrate", "nobody"), "There is no server whose id or name is 'nobody'."),
    (("create", "none", "tiny"), "There is no flavor whose id or name is 'none'."),
    (("create", "large", "none"), "There is no image whose id or name is 'none'."),
    (("create", "large", "tiny", "--count", "0"), "--count is a number from 1 to 1000."),
])  # fmt: skip
def test_the_command_says_what_is_not_there(own, words, sentence):
    project = () if words[0] != "create" else ("--project", MINE)
    with pytest.raises(CommandError) as caught:
        run(*words, *project)
    assert (str(caught.value), caught.value.returncode) == (sentence, 2)


def test_the_pages_show_what_would_happen_or_why_it_cannot_be_known(own, scheduler, client, monkeypatch):
    client.force_login(create_user("root", is_staff=True))
    service = make_host("h1")
    (_, moved), (large,) = fill(2), fill(1, memory_mb=700_000)
    drain, migrate = (
        reverse("admin:compute_service_drain", args=[service.pk]),
        reverse("admin:compute_instance_migrate", args=[moved.pk]),
    )
    assert drain in client.get(reverse("admin:compute_service_change", args=[service.pk])).content.decode()
    assert migrate in client.get(reverse("admin:compute_instance_change", args=[moved.pk])).content.decode()
    shown = client.get(drain).content.decode()
    assert f"Why {large.display_name} would find no host" in shown
    assert "100000 short" in shown
    assert "Why there" in client.get(migrate).content.decode()
    assert client.get(reverse("admin:compute_service_drain", args=[0])).status_code == 404
    monkeypatch.setattr(considering, "_ALL_ANSWERS_SECONDS", 0.0)
    assert "too busy" in client.get(drain).content.decode()
