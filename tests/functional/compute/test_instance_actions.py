"""What was done to a server, as clients read it: Nova's schema at every microversion, Nova's names, our rows."""

from datetime import timedelta

import jsonschema
import pytest

from cloud.compute.api.instance_event_names import NAMES, NAMES_IN, event_name
from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import StepState
from cloud.compute.selectors.server_surroundings import host_id
from cloud.compute.services import graphs, operations, step_rows
from cloud.core.clock import database_now
from contracts.errors import ErrorCode
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image
from tests.functional.compute.conftest import CONTEXTS, MINE
from tests.functional.compute.hosts import make_host, make_server

TEXT, OPTIONAL = {"type": "string"}, {"type": ["string", "null"]}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$"}
OPTIONAL_TIME = {"anyOf": [TIME, {"type": "null"}]}
ACTION = {"action": TEXT, "instance_uuid": TEXT, "message": OPTIONAL, "project_id": OPTIONAL, "request_id": TEXT,
          "start_time": TIME, "user_id": OPTIONAL}
EVENT = {"event": TEXT, "start_time": TIME, "finish_time": OPTIONAL_TIME, "result": OPTIONAL}


def exactly(properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def schema(number, *, is_admin):
    """What Nova answers to a show at a microversion; each part appears in the one that is named here."""
    at = tuple(map(int, number.split(".")))
    event = dict(EVENT)
    event |= {"traceback": OPTIONAL} if is_admin else {}
    event |= {"hostId": TEXT} if at >= (2, 62) else {}
    event |= {"host": TEXT} if at >= (2, 62) and is_admin else {}
    event |= {"details": OPTIONAL} if at >= (2, 84) and is_admin else {}
    action = ACTION | ({"updated_at": TIME} if at >= (2, 58) else {})
    if at >= (2, 51) or is_admin:
        action = action | {"events": {"type": "array", "items": exactly(event)}}
    return exactly({"instanceAction": exactly(action)})


@pytest.fixture
def server(_identities):
    make_host("h1")
    return make_server("h1", MINE)


def begin(server, action, workflow, request_id="req-1", **more):
    context = CONTEXTS["member"]
    (operation,) = operations.begin(context, [server], action, workflow, **more)
    Operation.objects.filter(pk=operation.pk).update(request_id=request_id)
    operation.refresh_from_db()
    return operation


def show(api, server, request_id="req-1", number="2.104"):
    answer = api.at(number).get(f"/servers/{server.uuid}/os-instance-actions/{request_id}")
    assert answer.status_code == 200, answer.content
    return answer.json()["instanceAction"]


@pytest.mark.parametrize("number", ["2.1", "2.20", "2.21", "2.50", "2.51", "2.57", "2.58", "2.61", "2.62", "2.83",
                                    "2.84", "2.104"])
@pytest.mark.parametrize("who", ["member", "admin"])
def test_an_action_has_the_form_of_its_microversion(server, member, admin, number, who):
    operation = begin(server, "stop", "stop")
    operations.fail(operation, ErrorCode.HYPERVISOR_ERROR, "Stop failed.", "h1: qemu said no")
    api = {"member": member, "admin": admin}[who].at(number)
    answer = api.get(f"/servers/{server.uuid}/os-instance-actions/req-1").json()
    jsonschema.validate(answer, schema(number, is_admin=who == "admin"))
    listed = api.get(f"/servers/{server.uuid}/os-instance-actions").json()
    rows = exactly(ACTION | ({"updated_at": TIME} if tuple(map(int, number.split("."))) >= (2, 58) else {}))
    jsonschema.validate(listed, exactly({"instanceActions": {"type": "array", "items": rows, "minItems": 1}}))


def test_a_failed_action_says_why_to_its_owner_and_more_to_an_operator(server, member, admin):
    operation = begin(server, "stop", "stop")
    operations.fail(operation, ErrorCode.HYPERVISOR_ERROR, "Stop failed: the hypervisor.", "h1: qemu said no")
    seen = show(member, server)
    assert (seen["message"], seen["events"][0]["result"]) == ("Stop failed: the hypervisor.", "Error")
    assert "h1" not in str(seen)
    (event,) = show(admin, server)["events"]
    assert (event["event"], event["host"]) == ("compute_stop_instance", "h1")
    assert event["traceback"] == "h1: qemu said no"
    assert event["details"] == "The hypervisor could not carry out the request."


def test_events_are_the_steps_with_their_times_and_results_the_newest_first(server, admin):
    operation = begin(server, "rebuild", "rebuild")
    begun = operation.started_at
    (event,) = show(admin, server)["events"]
    assert (event["event"], event["result"], event["finish_time"]) == ("compute_prepare_image", None, None)
    at = begun + timedelta(seconds=2)
    step_rows.move([operation], {graphs.PREPARE_IMAGE: StepState.DONE, graphs.REBUILD: StepState.SENT}, at)
    rebuild, prepare = show(admin, server)["events"]
    assert (prepare["event"], prepare["result"]) == ("compute_prepare_image", "Success")
    assert prepare["start_time"] == begun.strftime("%Y-%m-%dT%H:%M:%S.%f")
    assert prepare["finish_time"] == rebuild["start_time"] == at.strftime("%Y-%m-%dT%H:%M:%S.%f")
    assert (rebuild["event"], rebuild["result"], rebuild["host"]) == ("compute_rebuild_instance", None, "h1")
    operations.finish(operation)
    events = show(admin, server)["events"]
    assert [one["event"] for one in events] == ["conductor_finish", "compute_rebuild_instance", "compute_prepare_image"]
    assert {one["result"] for one in events} == {"Success"}
    # No host did what the conductor did.
    assert [(one["host"], bool(one["hostId"])) for one in events] == [("", False), ("h1", True), ("h1", True)]


def test_what_was_not_needed_or_never_begun_is_no_event(server, admin):
    operation = begin(server, "create", "build")
    skipped = {graphs.SELECT: StepState.DONE, graphs.CLAIM: StepState.DONE, graphs.PREPARE_IMAGE: StepState.SKIPPED,
               graphs.PLUG_VIFS: StepState.SKIPPED, graphs.SPAWN: StepState.SENT}  # fmt: skip
    step_rows.move([operation], skipped, database_now(), hosts=True)
    operations.fail(operation, ErrorCode.HYPERVISOR_ERROR, "no", "no")
    assert [(one["event"], one["result"]) for one in show(admin, server)["events"]] == [
        ("compute__do_build_and_run_instance", "Error"),
        ("conductor_claim_destination", "Success"),
        ("conductor_schedule_and_build_instances", "Success"),
    ]


def test_each_attempt_has_events_of_its_own(server, admin):
    operation = begin(server, "resize", "resize")
    done = {graphs.SELECT: StepState.DONE, graphs.CLAIM: StepState.DONE, graphs.SET_ASIDE: StepState.SENT}
    step_rows.move([operation], done, database_now())
    step_rows.close_failed([operation], database_now(), ErrorCode.DISK_MISSING, "gone")
    Operation.objects.filter(pk=operation.pk).update(attempt=2, workflow="revert_resize")
    operation.refresh_from_db()
    step_rows.plan([operation], database_now(), first=graphs.TAKE_BACK)
    assert [(one["event"], one["result"]) for one in show(admin, server)["events"]] == [
        ("compute_finish_revert_resize", None),
        ("compute_resize_instance", "Error"),
        ("compute_prep_resize", "Success"),
        ("conductor_migrate_server", "Success"),
    ]


def test_what_is_ordered_of_another_host_says_so(server, admin):
    make_host("h2")
    begin(server, "revertResize", "revert_resize", host="h2")
    Operation.objects.update(host="h1")  # as when the old host takes over
    (event,) = show(admin, server)["events"]
    assert (event["event"], event["host"]) == ("compute_revert_resize", "h2")


def test_hosts_are_shown_to_tenants_as_their_project_knows_them(server, member):
    begin(server, "stop", "stop")
    (event,) = show(member, server)["events"]
    assert event["hostId"] == host_id(MINE, "h1")  # as in the server's own body


def test_locking_and_unlocking_are_actions_as_in_nova(server, member, admin):
    def act(api, body):
        assert api.post(f"/servers/{server.uuid}/action", body).status_code == 202

    for body in ({"lock": None}, {"lock": None}, {"unlock": None}):
        act(member, body)
    listed = member.at("2.58").get(f"/servers/{server.uuid}/os-instance-actions").json()["instanceActions"]
    assert [one["action"] for one in listed] == ["unlock", "lock"]  # an owner's second lock changes nothing
    assert {one["user_id"] for one in listed} == {CONTEXTS["member"].user_id}
    Operation.objects.filter(action="unlock").update(request_id="req-1")
    (event,) = show(admin, server)["events"]
    assert (event["event"], event["result"], event["host"]) == ("api_unlock", "Success", "")
    assert event["start_time"] == event["finish_time"]


def test_pages_follow_each_other_and_what_changed_is_found(server, member):
    begun = database_now() - timedelta(hours=1)
    for number in range(4):
        operations.finish(begin(server, "reboot", "reboot", f"req-{number}"))
        at = begun + timedelta(minutes=number)
        Operation.objects.filter(request_id=f"req-{number}").update(started_at=at, updated_at=at)
    path, api = f"/servers/{server.uuid}/os-instance-actions", member.at("2.66")

    def ids(query):
        return [one["request_id"] for one in api.get(f"{path}?{query}").json()["instanceActions"]]

    assert ids("") == ["req-3", "req-2", "req-1", "req-0"]
    page = api.get(f"{path}?limit=3").json()
    (link,) = page["links"]
    assert link["rel"] == "next"
    rest = api.get(link["href"].split("/compute/v2.1")[1]).json()
    assert [one["request_id"] for one in rest["instanceActions"]] == ["req-0"]
    assert "links" not in rest
    assert ids("limit=0") == []
    middle = (begun + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert ids(f"changes-since={middle}") == ["req-3", "req-2"]
    assert ids(f"changes-before={middle}") == ["req-2", "req-1", "req-0"]
    assert ids(f"changes-since={middle}&changes-before={middle}") == ["req-2"]


@pytest.mark.parametrize(
    ("number", "query", "status"),
    [
        ("2.57", "limit=x&changes-since=y&other=z", 200),
        ("2.58", "limit=x", 400),
        ("2.58", "limit=-1", 400),
        ("2.58", "limit=1&limit=2", 400),
        ("2.58", "changes-since=yesterday", 400),
        ("2.58", "other=z", 400),
        ("2.58", "changes-before=2026-01-01T00:00:00Z", 400),
        ("2.66", "changes-since=2026-01-02T00:00:00Z&changes-before=2026-01-01T00:00:00Z", 400),
        ("2.66", "changes-since=2026-01-01T00:00:00Z&changes-before=2026-01-01T00:00:00Z", 200),
        ("2.58", "marker=req-none", 400),
    ],
)
def test_queries_are_judged_by_their_microversion(server, member, number, query, status):
    assert member.at(number).get(f"/servers/{server.uuid}/os-instance-actions?{query}").status_code == status


def test_actions_are_walled_off_and_outlive_their_server_from_2_21(server, member, stranger):
    begin(server, "delete", "delete")
    Instance.objects.filter(pk=server.pk).update(deleted=True)
    for path in ("", "/req-1"):
        full = f"/servers/{server.uuid}/os-instance-actions{path}"
        assert member.at("2.20").get(full).status_code == 404
        assert member.at("2.21").get(full).status_code == 200
        assert stranger.at("2.104").get(full).status_code == 404
    assert member.at("2.104").get(f"/servers/{server.uuid}/os-instance-actions/req-2").status_code == 404


def test_a_create_is_an_action_from_the_first_moment(member, admin):
    make_flavor()
    body = {"server": {"name": "s", "flavorRef": "1", "imageRef": make_image().id}}
    server = Instance.objects.get(uuid=member.post("/servers", body).json()["server"]["id"])
    Operation.objects.update(request_id="req-1")
    seen = show(admin, server)
    assert [one["event"] for one in seen["events"]] == ["conductor_schedule_and_build_instances"]


def test_every_step_has_an_event_name_that_says_who_does_it():
    for workflow, graph in graphs.GRAPHS.items():
        for step in graph:
            assert step.name in NAMES, f"say in NAMES what {step.name} of {workflow} is called among a client's events"
            assert NAMES[step.name].startswith("compute_" if graphs.is_on_host(step.name) else "conductor_")


def test_names_of_actions_are_of_steps_that_are():
    assert {step for names in NAMES_IN.values() for step in names} <= NAMES.keys()
    assert event_name("an action that is not in the table", graphs.SPAWN) == NAMES[graphs.SPAWN]
