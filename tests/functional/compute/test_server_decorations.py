"""Metadata, tags and addresses of servers."""

import pytest

from cloud.compute.models import Instance
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image
from tests.functional.compute.conftest import fault


@pytest.fixture
def server(member):
    make_flavor()
    body = {"name": "s", "flavorRef": "1", "imageRef": make_image().id, "metadata": {"a": "b"}}
    uuid = member.post("/servers", {"server": body}).json()["server"]["id"]
    Instance.objects.filter(uuid=uuid).update(vm_state="active", task_state="")
    return uuid


def test_metadata_is_read_added_to_replaced_and_removed(member, server):
    path = f"/servers/{server}/metadata"
    assert member.get(path).json() == {"metadata": {"a": "b"}}
    assert member.post(path, {"metadata": {"c": "d"}}).json() == {"metadata": {"a": "b", "c": "d"}}
    assert member.put(f"{path}/a", {"meta": {"a": "z"}}).json() == {"meta": {"a": "z"}}
    assert member.get(f"{path}/a").json() == {"meta": {"a": "z"}}
    assert member.delete(f"{path}/a").status_code == 204
    assert member.get(f"{path}/a").status_code == 404
    assert member.delete(f"{path}/a").status_code == 404
    assert member.put(path, {"metadata": {"k": "v"}}).json() == {"metadata": {"k": "v"}}
    assert member.get(f"/servers/{server}").json()["server"]["metadata"] == {"k": "v"}


@pytest.mark.parametrize(
    ("method", "below", "body", "status"),
    [
        ("PUT", "/k", {"meta": {"other": "v"}}, 400),
        ("PUT", "/k", {"meta": {"k": "v", "l": "v"}}, 400),
        ("PUT", "/k", {"meta": {}}, 400),
        ("PUT", "/k", {"meta": {"k": 1}}, 400),
        ("POST", "", {"metadata": {"": "v"}}, 400),
        ("POST", "", {"metadata": {"k": "v" * 256}}, 400),
        ("POST", "", {"metadata": {"k" * 256: "v"}}, 400),
        ("POST", "", {"metadata": []}, 400),
        ("POST", "", {}, 400),
        ("POST", "", {"metadata": {f"k{i}": "v" for i in range(128)}}, 403),
        ("PUT", "", {"metadata": {f"k{i}": "v" for i in range(129)}}, 403),
    ],
)
def test_bad_metadata_is_refused_and_changes_nothing(member, server, method, below, body, status):
    answer = member.send(method, f"/servers/{server}/metadata{below}", body)
    assert answer.status_code == status
    assert fault(answer)
    assert Instance.objects.get(uuid=server).metadata == {"a": "b"}


def test_a_server_that_is_built_takes_no_metadata(member, server):
    Instance.objects.filter(uuid=server).update(vm_state="building", task_state="scheduling")
    answer = member.post(f"/servers/{server}/metadata", {"metadata": {"c": "d"}})
    assert answer.status_code == 409
    assert "while it is in vm_state building" in fault(answer)


def test_tags_exist_from_2_26(member, server):
    path = f"/servers/{server}/tags"
    assert member.at("2.25").get(path).status_code == 404
    api = member.at("2.26")
    added = api.put(f"{path}/one", None)
    assert added.status_code == 201
    assert added.headers["Location"].endswith(f"/v2.1/servers/{server}/tags/one")
    assert api.put(f"{path}/one", None).status_code == 204
    assert api.get(f"{path}/one").status_code == 204
    assert api.get(f"{path}/two").status_code == 404
    assert api.put(path, {"tags": ["b", "a", "a"]}).json() == {"tags": ["a", "b"]}
    assert api.get(f"/servers/{server}").json()["server"]["tags"] == ["a", "b"]
    assert api.delete(f"{path}/a").status_code == 204
    assert api.delete(f"{path}/a").status_code == 404
    assert api.delete(path).status_code == 204
    assert api.get(path).json() == {"tags": []}


def test_tags_have_limits(member, server):
    api, path = member.at("2.26"), f"/servers/{server}/tags"
    assert api.put(f"{path}/{'x' * 61}", None).status_code == 400
    assert api.put(f"{path}/a,b", None).status_code == 400
    assert api.put(path, {"tags": ["a/b"]}).status_code == 400
    assert api.put(path, {"tags": [f"t{i}" for i in range(51)]}).status_code == 400
    assert api.put(path, {"tags": [f"t{i}" for i in range(50)]}).status_code == 200
    assert api.put(f"{path}/one-more", None).status_code == 400
    assert api.put(f"{path}/t1", {"x": 1}).status_code == 400


def test_a_server_without_interfaces_has_no_addresses(member, server):
    assert member.get(f"/servers/{server}/ips").json() == {"addresses": {}}
    answer = member.get(f"/servers/{server}/ips/private")
    assert answer.status_code == 404
