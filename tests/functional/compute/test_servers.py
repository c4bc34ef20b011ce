"""Servers: create, list, show, update, delete."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.selectors import servers
from cloud.core.long_lists import turns
from cloud.identity.models import QuotaUsage
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image
from tests.functional.compute.conftest import MINE, fault

NEWEST = "2.104"


@pytest.fixture
def body(_identities):
    make_flavor()
    return {"name": "s", "flavorRef": "1", "imageRef": make_image().id}


def create(api, body, **more):
    answer = api.post("/servers", {"server": {**body, **more}})
    assert answer.status_code == 202, answer.content
    return answer.json()["server"]


def settle(uuid, vm_state=states.ACTIVE, **columns):
    Instance.objects.filter(uuid=uuid).update(vm_state=vm_state, task_state="", **columns)


def test_the_answer_to_create_is_minimal_and_says_where_the_server_is(member, body):
    answer = member.post("/servers", {"server": body})
    assert answer.status_code == 202
    server = answer.json()["server"]
    assert set(server) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
    assert answer.headers["Location"] == server["links"][0]["href"]
    assert server["links"][0]["href"].endswith(f"/compute/v2.1/servers/{server['id']}")


def test_create_records_instance_operation_steps_and_quota(member, body):
    server = create(member, body, metadata={"a": "b"}, config_drive="True", user_data="aGk=")
    row = Instance.objects.get(uuid=server["id"])
    assert (row.vm_state, row.task_state) == ("building", "scheduling")
    assert row.request_spec["vcpus"] == 1
    assert row.config_drive
    operation = Operation.objects.get(instance_uuid=row.uuid)
    assert (operation.action, operation.workflow) == ("create", "build")
    assert operation.steps.count() == 6
    held = dict(QuotaUsage.objects.filter(project_id=MINE).values_list("resource", "in_use"))
    assert {name: held[name] for name in ("instances", "cores", "ram")} == {"instances": 1, "cores": 1, "ram": 512}


def test_show_at_the_oldest_version_has_neither_newer_nor_admin_fields(member, body):
    server = create(member, body)
    shown = member.get(f"/servers/{server['id']}").json()["server"]
    assert shown["status"] == "BUILD"
    assert shown["OS-EXT-STS:task_state"] == "scheduling"
    assert shown["flavor"]["id"] == "1"
    assert shown["image"]["id"] == body["imageRef"]
    assert shown["config_drive"] == ""
    assert shown["hostId"] == ""
    assert shown["progress"] == 0
    assert shown["accessIPv4"] == ""
    assert not {name for name in shown if name.startswith("OS-EXT-SRV-ATTR")}
    assert not {"locked", "description", "tags", "host_status", "fault"} & set(shown)


def test_show_at_the_newest_version(admin, body):
    server = create(admin.at("2.36"), body)
    shown = admin.at(NEWEST).get(f"/servers/{server['id']}").json()["server"]
    assert shown["flavor"] == {
        "vcpus": 1, "ram": 512, "disk": 1, "ephemeral": 0, "swap": 0, "original_name": "flavor-1", "extra_specs": {},
    }
    assert shown["OS-EXT-SRV-ATTR:instance_name"].startswith("instance-")
    assert (shown["tags"], shown["server_groups"], shown["scheduler_hints"]) == ([], [], {})
    assert shown["locked"] is False
    assert shown["trusted_image_certificates"] is None
    assert shown["image"]["properties"] == {}


def test_a_detailed_list_takes_as_many_queries_for_ten_servers_as_for_one(member, body, django_assert_num_queries):
    create(member, body)
    with CaptureQueriesContext(connection) as once:
        member.at(NEWEST).get("/servers/detail")
    count = len(once)
    create(member, body, min_count=9)
    with django_assert_num_queries(count):
        answer = member.at(NEWEST).get("/servers/detail").json()
    assert len(answer["servers"]) == 10
    assert count <= 6


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"flavorRef": "zzz"}, 400, "Flavor zzz could not be found."),
        ({"imageRef": "5f5a2b0c-5f5a-4f5a-8f5a-5f5a2b0c5f5a"}, 400, "Can not find requested image"),
        ({"imageRef": "http://x/y"}, 400, "imageRef"),
        ({"imageRef": ""}, 400, "imageRef"),
        ({"key_name": "zzz"}, 400, "Invalid key_name provided."),
        ({"availability_zone": "zzz"}, 400, "availability zone"),
        ({"availability_zone": "nova:host"}, 403, "forced_host"),
        ({"min_count": 2, "max_count": 1}, 400, "min_count must be <= max_count"),
        ({"min_count": 0}, 400, "min_count"),
        ({"min_count": "x"}, 400, "min_count"),
        ({"min_count": 1_000_000}, 400, "One request may ask for 1000 servers at most"),
        ({"min_count": 11}, 403, "Quota exceeded for instances: Requested 11, but already used 0 of 10 instances"),
        ({"max_count": 2, "networks": [{"port": "5f5a2b0c-5f5a-4f5a-8f5a-5f5a2b0c5f5a"}]}, 400, "one by one"),
        ({"max_count": 2, "networks": [{"fixed_ip": "1.2.3.4"}]}, 400, "fixed_ip"),
        ({"name": ""}, 400, "name"),
        ({"name": "a" * 256}, 400, "name"),
        ({"name": "a\x00b"}, 400, "NUL"), ({"name": "a\x1bb"}, 400, "name"),
        ({"name": " a"}, 400, "name"),
        ({"name": 5}, 400, "name"),
        ({"metadata": {"k" * 256: "v"}}, 400, "does not match"),
        ({"metadata": {f"k{i}": "v" for i in range(129)}}, 403, "128"),
        ({"user_data": "a" * 65536}, 400, "user_data"),
        ({"user_data": "a"}, 400, "user_data"),
        ({"nonsense": 1}, 400, "Additional properties are not allowed"),
        ({"description": "d"}, 400, "Additional properties are not allowed"),
        ({"accessIPv4": "1.1.1.1.1"}, 400, "accessIPv4"),
        ({"networks": [{"uuid": "5f5a2b0c-5f5a-4f5a-8f5a-5f5a2b0c5f5a"}]}, 400, "Network"),
        ({"networks": [{"uuid": "a-b-c"}]}, 400, ""),
        ({"security_groups": [{"name": "zzz"}]}, 400, "Security group zzz not found"),
        ({"block_device_mapping_v2": [{"source_type": "blank", "destination_type": "volume"}]}, 400, "volume"),
        ({"personality": [{"path": "/x", "contents": "aGk="}]}, 400, "Personality"),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence_and_changes_nothing(member, body, change, status, sentence):
    answer = member.post("/servers", {"server": {**body, **change}})
    assert answer.status_code == status, answer.content
    assert sentence in fault(answer)
    assert not Instance.objects.exists()
    assert not QuotaUsage.objects.filter(in_use__gt=0).exists()


@pytest.mark.parametrize("raw", [None, [], {}, {"server": []}, {"server": {}}, {"servers": {}}])
def test_a_body_of_another_shape_is_refused(member, body, raw):
    assert member.post("/servers", raw).status_code == 400


def test_networks_are_required_from_2_37_and_may_be_none(member, body):
    assert member.at("2.37").post("/servers", {"server": body}).status_code == 400
    assert member.at("2.37").post("/servers", {"server": {**body, "networks": "zzz"}}).status_code == 400
    create(member.at("2.37"), body, networks="none")


def test_user_data_that_is_no_base64_at_all_passes_as_in_nova(member, body):
    create(member, body, user_data="%%%")


@pytest.mark.parametrize(
    ("flavor", "image", "sentence"),
    [
        ({}, {"min_ram": 1024}, "memory is too small"),
        ({}, {"min_disk": 5}, "smaller than the minimum size"),
        ({}, {"virtual_size": 2**31}, "disk is too small"),
        ({"is_public": False}, {}, "could not be found"),
        ({"is_disabled": True}, {}, "could not be found"),
        ({}, {"visibility": "private"}, "Can not find requested image"),
        ({}, {"status": "queued"}, "not active"),
    ],
)
def test_what_does_not_fit_together_is_refused(member, flavor, image, sentence):
    make_flavor("9", **flavor)
    body = {"name": "s", "flavorRef": "9", "imageRef": make_image(**image).id}
    answer = member.post("/servers", {"server": body})
    assert answer.status_code == 400
    assert sentence in fault(answer)


def test_several_servers_share_a_reservation(member, body):
    answer = member.post("/servers", {"server": {**body, "min_count": 2, "return_reservation_id": True}})
    reservation = answer.json()["reservation_id"]
    found = member.get(f"/servers?reservation_id={reservation}").json()["servers"]
    assert sorted(one["name"] for one in found) == ["s-1", "s-2"]


def test_as_many_as_the_quota_has_room_for_are_made(member, body):
    create(member, body, min_count=1, max_count=40)
    assert Instance.objects.count() == 10


def test_a_page_that_is_full_links_to_the_next(member, body):
    create(member, body, min_count=3)
    first = member.get("/servers?limit=2&name=s").json()
    assert len(first["servers"]) == 2
    (link,) = first["servers_links"]
    assert link["rel"] == "next"
    rest = member.get("/servers?" + link["href"].split("?")[1]).json()
    assert len(rest["servers"]) == 1
    assert "servers_links" not in rest
    assert {one["id"] for one in first["servers"]} | {rest["servers"][0]["id"]} == set(
        Instance.objects.values_list("uuid", flat=True)
    )
    assert member.get("/servers?limit=0").json() == {"servers": []}


@pytest.mark.parametrize(
    ("number", "query", "status"),
    [
        ("2.1", "limit=-1", 400), ("2.1", "limit=abc", 400), ("2.1", "marker=zzz", 400),
        ("2.1", "sort_key=zzz", 400), ("2.1", "sort_dir=zzz", 400), ("2.1", "changes-since=zzz", 400),
        ("2.1", "changes-since=2011", 200), ("2.1", "ip=[", 400), ("2.1", "name=[", 400), ("2.1", "zzz=1", 200),
        ("2.75", "zzz=1", 400), ("2.1", "status=zzz", 200), ("2.38", "status=zzz", 400), ("2.1", "all_tenants=1", 403),
        ("2.1", "all_tenants=zzz", 400), ("2.1", "host=zzz", 200), ("2.1", "name=(a%2B)%2B", 400),
        ("2.1", "name=[[:alpha:]]", 400), ("2.104", "key_name=[[:alpha:]]", 400), ("2.1", "name=" + "(" * 2000, 400),
        ("2.66", "changes-since=2012-01-01&changes-before=2011-01-01", 400), ("2.1", "status=deleted", 403),
        ("2.1", "name=%00", 400), ("2.1", "marker=%00", 400), ("2.1", "flavor=%00", 400),
        ("2.1", "limit=99999999999999999999", 400), ("2.1", "reservation_id=(", 400),
        ("2.73", "locked=zzz", 400), ("2.104", "config_drive=zzz", 400), ("2.104", "created_at=zzz", 400),
        ("2.104", "power_state=99999999999999999999", 200),
        ("2.1", "sort_key=created_at&sort_dir=asc&sort_dir=asc", 400),
    ],
)  # fmt: skip
def test_queries_are_judged_as_nova_does(member, body, number, query, status):
    for path in ("/servers", "/servers/detail"):
        assert member.at(number).get(f"{path}?{query}").status_code == status, query


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=alp", ["alpha"]), ("name=^b", ["beta"]), ("name=a$", ["alpha", "beta"]), ("status=ACTIVE", ["alpha"]),
        ("status=active&status=build", ["alpha", "beta"]), ("flavor=1", ["alpha"]), ("flavor=zzz", []),
        ("image=zzz", []), ("changes-since=2020-01-01T00:00:00Z", ["alpha", "beta"]), ("changes-since=2999-01-01", []),
        ("tags=x", ["alpha"]), ("tags=x,y", []), ("tags-any=x,y", ["alpha"]), ("not-tags=x", ["beta"]),
        ("not-tags-any=x,y", ["beta"]), ("locked=true", ["beta"]), ("locked=false", ["alpha"]),
        ("key_name=k", ["beta"]), ("vm_state=active", ["alpha"]), ("task_state=scheduling", ["beta"]),
        ("ip=10.", []), ("ip6=fd00", []), ("description=zz", []), ("power_state=0", ["alpha", "beta"]),
        ("changes-before=2020-01-01", []), ("hostname=^alpha$", ["alpha"]), ("user_id=user-1", ["alpha", "beta"]),
        ("config_drive=true", []), ("name=alpha&name=beta", ["alpha", "beta"]), ("launched_at=2020-01-01", []),
    ],
)  # fmt: skip
def test_filters_find(member, body, query, found):
    make_flavor("2")
    one = create(member.at("2.52"), body, name="alpha", tags=["x"], networks="none")
    settle(one["id"])
    two = create(member, body, name="beta", flavorRef="2")
    Instance.objects.filter(uuid=two["id"]).update(locked=True, key_name="k")
    for path in ("/servers", "/servers/detail"):
        answer = member.at("2.83").get(f"{path}?{query}")
        assert answer.status_code == 200, answer.content
        assert sorted(server["name"] for server in answer.json()["servers"]) == found


def test_servers_sort_by_what_is_asked(member, body):
    for name in ("b", "a", "c"):
        create(member, body, name=name)

    def names(query):
        return "".join(server["name"] for server in member.get(f"/servers?{query}").json()["servers"])

    assert names("") == "cab"
    assert names("sort_key=display_name&sort_dir=asc") == "abc"
    assert names("sort_key=display_name") == "cba"
    assert names("sort_key=launched_at&sort_key=display_name&sort_dir=asc") == "abc"
    marker = Instance.objects.get(display_name="b").uuid
    assert names(f"sort_key=display_name&sort_dir=asc&marker={marker}") == "c"


def test_foreign_servers_do_not_exist(member, stranger, admin, body):
    server = create(member, body)
    path = f"/servers/{server['id']}"
    for method, where, content in [
        ("GET", path, None), ("DELETE", path, None), ("PUT", path, {"server": {"name": "x"}}),
        ("POST", f"{path}/action", {"os-stop": None}), ("GET", f"{path}/metadata", None), ("GET", f"{path}/ips", None),
        ("GET", f"{path}/os-instance-actions", None),
    ]:  # fmt: skip
        answer = stranger.send(method, where, content)
        assert answer.status_code == 404
        assert fault(answer) == f"Instance {server['id']} could not be found."
    assert stranger.get("/servers").json() == {"servers": []}
    assert stranger.get(f"/servers?marker={server['id']}").status_code == 400
    assert admin.get(path).status_code == 200
    assert admin.get("/servers").json() == {"servers": []}
    assert len(admin.get("/servers?all_tenants=1").json()["servers"]) == 1
    assert len(admin.get(f"/servers?tenant_id={MINE}").json()["servers"]) == 1
    assert len(admin.get("/servers?all_tenants=1&tenant_id=zzz").json()["servers"]) == 0


def test_a_reader_reads_only(reader, body):
    answer = reader.post("/servers", {"server": body})
    assert answer.status_code == 403
    assert fault(answer) == "Policy doesn't allow os_compute_api:servers:create to be performed."


def test_update_changes_what_is_named(member, body):
    server = create(member, body)
    path = f"/servers/{server['id']}"
    answer = member.put(path, {"server": {"name": "new", "accessIPv6": "::babe:1.2.3.4"}})
    assert answer.status_code == 200
    shown = answer.json()["server"]
    assert (shown["name"], shown["accessIPv6"]) == ("new", "::babe:102:304")
    assert "OS-EXT-STS:vm_state" not in shown
    assert "OS-EXT-STS:vm_state" in member.at("2.75").put(path, {"server": {}}).json()["server"]
    assert member.put(path, {"server": {"name": ""}}).status_code == 400
    assert member.put(path, {"server": {"flavorRef": "2"}}).status_code == 400
    assert member.at("2.104").put(path, {"server": {"pinned_availability_zone": "zzz"}}).status_code == 400
    assert member.put("/servers/zzz", {"server": {"name": "x"}}).status_code == 404


def test_delete_begins_once_and_may_be_repeated(member, body):
    server = create(member, body)
    path = f"/servers/{server['id']}"
    assert member.delete(path).status_code == 204
    shown = member.get(path).json()["server"]
    assert shown["OS-EXT-STS:task_state"] == "deleting"
    assert member.delete(path).status_code == 204
    assert Operation.objects.filter(action="delete").count() == 1
    assert member.delete("/servers/zzz").status_code == 404


def test_a_fault_shows_its_reason_to_the_owner_and_its_details_to_operators(member, admin, body):
    from cloud.compute.models import InstanceFault

    server = create(member, body)
    settle(server["id"], states.ERROR)
    InstanceFault.objects.create(instance_uuid=server["id"], message="No valid host was found.", details="RamFilter")
    seen = member.get(f"/servers/{server['id']}").json()["server"]
    assert seen["status"] == "ERROR"
    assert seen["fault"]["message"] == "No valid host was found."
    assert "details" not in seen["fault"]
    assert admin.get(f"/servers/{server['id']}").json()["server"]["fault"]["details"] == "RamFilter"


# What a detailed list shows to its project at 2.1, and what each microversion put in.
OLDEST = {
    "id", "name", "status", "tenant_id", "user_id", "metadata", "hostId", "image", "flavor", "created", "updated",
    "addresses", "accessIPv4", "accessIPv6", "links", "progress", "OS-DCF:diskConfig", "OS-EXT-AZ:availability_zone",
    "config_drive", "key_name", "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at", "OS-EXT-STS:task_state",
    "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state", "os-extended-volumes:volumes_attached",
}  # fmt: skip
ADDED = {
    9: {"locked"}, 19: {"description"}, 26: {"tags"}, 63: {"trusted_image_certificates"}, 73: {"locked_reason"},
    90: {"OS-EXT-SRV-ATTR:hostname"}, 96: {"pinned_availability_zone"}, 100: {"scheduler_hints"},
}  # fmt: skip
IN_SHOW = {71: {"server_groups"}}
_ATTR = "OS-EXT-SRV-ATTR:"
FOR_ADMINS = {
    1: {_ATTR + "host", _ATTR + "hypervisor_hostname", _ATTR + "instance_name"},
    3: {_ATTR + name for name in (
        "hostname", "kernel_id", "launch_index", "ramdisk_id", "reservation_id", "root_device_name", "user_data",
    )},
    16: {"host_status"},
}  # fmt: skip


def fields_at(minor, *tables):
    return OLDEST.union(*(names for table in tables for since, names in table.items() if since <= minor))


@pytest.mark.parametrize("minor", [1, 2, 3, 8, 9, 15, 16, 18, 19, 25, 26, 63, 70, 71, 72, 73, 89, 90, 96, 99, 100])
def test_each_microversion_has_its_own_fields_and_no_others(member, admin, body, minor):
    server = create(member, body)
    for api, *more in ((member,), (admin, FOR_ADMINS)):
        shown = api.at(f"2.{minor}").get(f"/servers/{server['id']}").json()["server"]
        assert set(shown) == fields_at(minor, ADDED, IN_SHOW, *more)
        (listed,) = api.at(f"2.{minor}").get(f"/servers/detail?all_tenants={api is admin}").json()["servers"]
        assert set(listed) == fields_at(minor, ADDED, *more)


def test_a_page_is_long_by_what_is_in_it_and_not_by_what_was_asked_for(member, body, monkeypatch):
    monkeypatch.setattr(servers, "LONG", 1)
    listing = servers.Listing(MINE, limit=1000)
    create(member, body)
    assert not servers.is_long(listing)
    create(member, body)
    assert servers.is_long(listing)
    assert not servers.is_long(replace(listing, limit=1))
    assert not servers.is_long(replace(listing, condition=Q(display_name="another")))


def test_a_short_list_is_answered_while_long_ones_have_every_turn(member, body):
    uuid = create(member, body)["id"]
    with ExitStack() as taken:
        while turns._free.acquire(blocking=False):
            taken.callback(turns._free.release)
        answer = member.get("/servers/detail")
    assert [one["id"] for one in answer.json()["servers"]] == [uuid]
