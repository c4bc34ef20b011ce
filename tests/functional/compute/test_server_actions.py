"""What can be done to a server, when, and by whom."""

import pytest

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.services import console
from contracts.compute import ConsoleOutput
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image
from tests.functional.compute.conftest import CONTEXTS, fault
from tests.functional.compute.hosts import make_host


@pytest.fixture
def server(member):
    make_flavor()
    make_host("h1")
    body = {"server": {"name": "s", "flavorRef": "1", "imageRef": make_image().id}}
    uuid = member.post("/servers", body).json()["server"]["id"]
    put(uuid)
    return uuid


def put(uuid, vm_state=states.ACTIVE, task_state="", host="h1", **columns):
    Instance.objects.filter(uuid=uuid).update(vm_state=vm_state, task_state=task_state, host=host, **columns)


def act(api, uuid, body):
    return api.post(f"/servers/{uuid}/action", body)


SOFT, HARD = {"reboot": {"type": "SOFT"}}, {"reboot": {"type": "HARD"}}


@pytest.mark.parametrize(
    ("body", "vm_state", "workflow", "shows"),
    [
        ({"os-stop": None}, "active", "stop", ("ACTIVE", "powering-off")),
        ({"os-stop": {}}, "error", "stop", ("ERROR", "powering-off")),
        ({"os-start": None}, "stopped", "start", ("SHUTOFF", "powering-on")),
        (SOFT, "active", "reboot", ("REBOOT", "rebooting")),
        (HARD, "active", "reboot", ("HARD_REBOOT", "rebooting_hard")),
        (HARD, "stopped", "reboot", ("SHUTOFF", "rebooting_hard")),
    ],
)
def test_power_actions_show_at_once_and_begin_an_operation(member, server, body, vm_state, workflow, shows):
    put(server, vm_state)
    before = Instance.objects.get(uuid=server).updated_at
    answer = act(member, server, body)
    assert (answer.status_code, answer.content) == (202, b"")
    shown = member.get(f"/servers/{server}").json()["server"]
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == shows
    assert Instance.objects.get(uuid=server).updated_at > before
    operation = Operation.objects.latest("started_at")
    assert (operation.workflow, operation.host) == (workflow, "h1")
    assert operation.plan == ({"hard": body == HARD} if workflow == "reboot" else {})


@pytest.mark.parametrize(
    ("body", "state", "sentence"),
    [
        ({"os-stop": None}, {"vm_state": "stopped"}, "Cannot 'stop' instance {} while it is in vm_state stopped"),
        ({"os-start": None}, {}, "Cannot 'start' instance {} while it is in vm_state active"),
        ({"os-start": None}, {"vm_state": "stopped", "task_state": "powering-on"},
         "Cannot 'start' instance {} while it is in task_state powering-on"),
        (SOFT, {"vm_state": "stopped"}, "Cannot 'reboot' instance {} while it is in vm_state stopped"),
        (SOFT, {"task_state": "rebooting"}, "Cannot 'reboot' instance {} while it is in task_state rebooting"),
        ({"os-stop": None}, {"vm_state": "error", "host": ""}, "Instance {} is not ready"),
        ({"os-getConsoleOutput": {}}, {"host": ""}, "Instance {} is not ready"),
        ({"restore": None}, {}, "Cannot 'restore' instance {} while it is in vm_state active"),
    ],
)  # fmt: skip
def test_what_the_state_does_not_allow_is_a_conflict_that_names_it(member, server, body, state, sentence):
    put(server, **state)
    answer = act(member, server, body)
    assert answer.status_code == 409
    assert fault(answer) == sentence.format(server)


@pytest.mark.parametrize(
    ("body", "number", "status", "sentence"),
    [
        ({"zzz": None}, "2.1", 400, "There is no such action: zzz"),
        ({}, "2.1", 400, "Malformed request body"),
        ({"os-stop": None, "os-start": None}, "2.1", 400, "Malformed request body"),
        (None, "2.1", 400, "is not of type 'object'"),
        ({"reboot": {}}, "2.1", 400, "type"),
        ({"reboot": {"type": "NORMAL"}}, "2.1", 400, "type"),
        ({"os-resetState": {"state": "stopped"}}, "2.1", 403, "Policy doesn't allow"),
        ({"os-getConsoleOutput": {"length": "x"}}, "2.1", 400, "length"),
        ({"lock": {"locked_reason": ""}}, "2.73", 400, "locked_reason"),
        ({"os-getVNCConsole": {"type": "novnc"}}, "2.6", 404, "could not be found"),
        ({"trigger_crash_dump": None}, "2.16", 404, "could not be found"),
        ({"pause": None}, "2.1", 501, "does not implement"),
        ({"resize": {"flavorRef": "2"}}, "2.1", 400, "Flavor 2 could not be found"),
        ({"resize": {}}, "2.1", 400, "flavorRef"),
        ({"resize": {"flavorRef": ""}}, "2.1", 400, "flavorRef"),
        ({"resize": {"flavorRef": "2", "x": 1}}, "2.1", 400, "x"),
        ({"migrate": {"host": 1}}, "2.56", 403, "Policy doesn't allow"),
        ({"migrate": None}, "2.1", 403, "Policy doesn't allow"),
    ],
)
def test_bad_actions_are_refused(member, server, body, number, status, sentence):
    answer = act(member.at(number), server, body)
    assert answer.status_code == status
    assert sentence in fault(answer)


def test_an_unknown_action_is_refused_before_the_server_is_looked_up(member):
    assert act(member, "zzz", {"zzz": None}).status_code == 400
    assert act(member, "zzz", {"os-stop": None}).status_code == 404
    assert act(member, "zzz", {"pause": None}).status_code == 404


def test_a_locked_server_is_changed_by_administrators_only(member, admin, server):
    assert act(member.at("2.73"), server, {"lock": {"locked_reason": "keep"}}).status_code == 202
    shown = member.at("2.73").get(f"/servers/{server}").json()["server"]
    assert (shown["locked"], shown["locked_reason"]) == (True, "keep")
    for answer in (
        act(member, server, {"os-stop": None}),
        act(member, server, SOFT),
        member.delete(f"/servers/{server}"),
        member.put(f"/servers/{server}/metadata", {"metadata": {}}),
    ):
        assert answer.status_code == 409
        assert fault(answer) == f"Instance {server} is locked"
    assert act(admin, server, {"os-stop": None}).status_code == 202
    assert act(member, server, {"unlock": None}).status_code == 202
    assert member.at("2.9").get(f"/servers/{server}").json()["server"]["locked"] is False


def test_a_lock_of_an_administrator_is_not_the_owners_to_take_off(member, admin, server):
    assert act(admin, server, {"lock": None}).status_code == 202
    answer = act(member, server, {"unlock": None})
    assert answer.status_code == 403
    assert "unlock_override" in fault(answer)
    assert act(admin, server, {"unlock": None}).status_code == 202


def test_an_operator_says_what_state_a_server_is_in(member, admin, server):
    act(member, server, {"os-stop": None})
    assert act(admin, server, {"os-resetState": {"state": "error"}}).status_code == 202
    row = Instance.objects.get(uuid=server)
    assert (row.vm_state, row.task_state) == ("error", "")
    assert not Operation.objects.filter(instance_uuid=server, state="running").exists()
    assert act(admin, server, {"os-resetState": {"state": "active"}}).status_code == 202
    assert member.get(f"/servers/{server}").json()["server"]["status"] == "ACTIVE"


def test_a_rebuild_changes_what_is_asked_and_answers_with_the_server(member, server):
    image = make_image(properties={"architecture": "x86_64"}).id
    asked = {"imageRef": image, "name": "new", "metadata": {"k": "v"}, "adminPass": "secret", "user_data": "%%%aGk="}
    answer = act(member.at("2.57"), server, {"rebuild": asked})
    assert answer.status_code == 202
    assert answer.headers["Location"].endswith(f"/servers/{server}")
    shown = answer.json()["server"]
    assert (shown["status"], shown["name"], shown["metadata"]) == ("REBUILD", "new", {"k": "v"})
    assert (shown["image"]["id"], shown["adminPass"], shown["user_data"]) == (image, "secret", "aGk=")
    row = Instance.objects.get(uuid=server)
    assert row.task_state == "rebuilding"
    assert row.request_spec["image_properties"] == {"architecture": "x86_64"}
    operation = Operation.objects.latest("started_at")
    assert (operation.action, operation.workflow, operation.plan["image"]) == ("rebuild", "rebuild", image)


@pytest.mark.parametrize(
    ("change", "state", "status", "sentence"),
    [
        ({}, {"vm_state": "paused"}, 409, "Cannot 'rebuild' instance"),
        ({}, {"task_state": "rebooting"}, 409, "while it is in task_state rebooting"),
        ({}, {"vm_state": "error", "host": ""}, 409, "is not ready"),
        ({}, {"locked": True}, 409, "is locked"),
        ({"imageRef": "5f5a2b0c-5f5a-4f5a-8f5a-5f5a2b0c5f5a"}, {}, 400, "Cannot find image for rebuild"),
        ({"imageRef": "x"}, {}, 400, "imageRef"),
        ({"name": ""}, {}, 400, "name"),
        ({"personality": [{"path": "/x", "contents": ""}]}, {}, 400, "Personality"),
        ({"preserve_ephemeral": True}, {}, 400, "preserve"),
        ({"metadata": {f"k{i}": "v" for i in range(129)}}, {}, 403, "128"),
        ({"key_name": "zzz"}, {}, 400, "Additional properties"),
    ],
)
def test_a_rebuild_that_cannot_be_changes_nothing(member, server, change, state, status, sentence):
    put(server, **state)
    before = Instance.objects.values().get(uuid=server)
    answer = act(member, server, {"rebuild": {"imageRef": before["image_ref"], **change}})
    assert answer.status_code == status
    assert sentence in fault(answer)
    assert Instance.objects.values().get(uuid=server) == before


def test_a_rebuild_takes_a_key_from_2_54_or_takes_it_away(member, server):
    image = Instance.objects.get(uuid=server).image_ref
    put(server, key_name="k", key_data="ssh-rsa x")
    assert act(member.at("2.54"), server, {"rebuild": {"imageRef": image, "key_name": "zzz"}}).status_code == 400
    answer = act(member.at("2.54"), server, {"rebuild": {"imageRef": image, "key_name": None}})
    assert answer.json()["server"]["key_name"] is None
    assert Instance.objects.get(uuid=server).key_data == ""


def test_force_delete_deletes(member, server):
    assert act(member, server, {"forceDelete": None}).status_code == 202
    assert Instance.objects.get(uuid=server).task_state == "deleting"


def test_the_console_log_comes_from_the_host(member, server, monkeypatch):
    asked = []

    def call(order, timeout):
        asked.append(order)
        return ConsoleOutput(output="hello\n", host="h1", attempt=1)

    monkeypatch.setattr(console.rpc, "call", call)
    answer = act(member, server, {"os-getConsoleOutput": {"length": "5"}})
    assert (answer.status_code, answer.json()) == (200, {"output": "hello\n"})
    assert (asked[0].host, asked[0].instance_uuid, asked[0].length) == ("h1", server, 5)
    act(member, server, {"os-getConsoleOutput": {}})
    assert asked[1].length == -1


def test_readers_act_on_nothing(reader, server):
    assert act(reader, server, {"os-stop": None}).status_code == 403


def test_what_was_done_is_listed_with_its_events(member, admin, server):
    act(member, server, {"os-stop": None})
    stop = Operation.objects.latest("started_at")
    Operation.objects.filter(id=stop.id).update(request_id="req-stop")
    path = f"/servers/{server}/os-instance-actions"
    listed = member.get(path).json()["instanceActions"]
    assert [one["action"] for one in listed] == ["stop", "create"]
    assert listed[0]["user_id"] == CONTEXTS["member"].user_id
    assert "updated_at" not in listed[0]
    assert "events" not in member.get(f"{path}/req-stop").json()["instanceAction"]
    (event,) = member.at("2.62").get(f"{path}/req-stop").json()["instanceAction"]["events"]
    assert (event["event"], event["result"]) == ("compute_stop_instance", None)
    assert len(event["hostId"]) == 56
    assert not {"traceback", "host"} & set(event)
    (event,) = admin.at("2.62").get(f"{path}/req-stop").json()["instanceAction"]["events"]
    assert event["host"] == "h1"
    assert member.get(f"{path}/req-none").status_code == 404


def test_actions_come_in_pages_from_2_58_and_outlive_their_server_from_2_21(member, server):
    act(member, server, {"os-stop": None})
    Operation.objects.filter(action="stop").update(request_id="req-stop")
    path = f"/servers/{server}/os-instance-actions"
    page = member.at("2.58").get(f"{path}?limit=1").json()
    assert [one["action"] for one in page["instanceActions"]] == ["stop"]
    assert "marker=req-stop" in page["links"][0]["href"]
    rest = member.at("2.58").get(f"{path}?marker=req-stop").json()
    assert [one["action"] for one in rest["instanceActions"]] == ["create"]
    assert member.at("2.58").get(f"{path}?marker=zzz").status_code == 400
    assert member.at("2.58").get(f"{path}?changes-before=2011-01-01").status_code == 400
    assert member.at("2.66").get(f"{path}?changes-before=2011-01-01").json() == {"instanceActions": []}
    Instance.objects.filter(uuid=server).update(deleted=True)
    assert member.at("2.20").get(path).status_code == 404
    assert member.at("2.21").get(path).status_code == 200
