"""The Image API's promises, over the test client."""

import hashlib
import json

import pytest
from django.conf import settings

from cloud.core import context
from cloud.core.context import RequestContext
from cloud.images.errors import ImageNotBootable, ImageNotFound
from cloud.images.models import Image
from cloud.images.selectors import usable_image
from cloud.images.services import store as blob_store
from cloud.images.services import transfers
from cloud.images.services.blobs import signed_url, upload_url
from contracts.blank_image import blank_qcow2

pytestmark = pytest.mark.django_db
NOWHERE = "00000000-0000-4000-8000-000000000000"
BACKED = b"QFI\xfb" + b"\0\0\0\2" + (4096).to_bytes(8, "big") + (11).to_bytes(4, "big") + blank_qcow2(2**20)[20:]
MEMBER = frozenset({"member", "reader"})
PEOPLE = {
    "ann": RequestContext("req-a", "ann", project_id="a", roles=MEMBER),
    "bob": RequestContext("req-b", "bob", project_id="b", roles=MEMBER),
    "admin": RequestContext("req-c", "admin", project_id="c", roles=MEMBER | {"admin"}),
}
JSON_PATCH = "application/openstack-images-v2.1-json-patch"


@pytest.fixture(autouse=True)
def store(monkeypatch, tmp_path, settings):
    settings.IMAGE_STORE = tmp_path / "images"
    monkeypatch.setattr(context, "_authenticators", [lambda token, request_id: PEOPLE.get(token)])


@pytest.fixture
def call(client):
    def send(method, path, body=None, who="ann", kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else b""
        return client.generic(method, f"/image{path}", data, content_type=kind, headers={"x-auth-token": who})

    return send


def make(call, **body):
    answer = call("POST", "/v2/images", {"name": "i", "disk_format": "qcow2", "container_format": "bare", **body})
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def fill(call, image_id, data):
    return call("PUT", f"/v2/images/{image_id}/file", data, kind="application/octet-stream")


def test_an_uploaded_image_is_active_hashed_and_comes_back_whole(call):
    image_id, data = make(call), blank_qcow2(2**26)
    assert fill(call, image_id, data).status_code == 204
    image = call("GET", f"/v2/images/{image_id}").json()
    assert (image["status"], image["size"], image["virtual_size"]) == ("active", len(data), 2**26)
    assert image["os_hash_value"] == hashlib.sha512(data).hexdigest()
    answer = call("GET", f"/v2/images/{image_id}/file")
    assert b"".join(answer.streaming_content) == data
    assert usable_image(PEOPLE["ann"], image_id).id == image_id


@pytest.mark.parametrize(("declared", "data"), [
    ("raw", blank_qcow2(2**20)),
    ("qcow2", BACKED),
    ("qcow2", b"KDMV" + bytes(4096)),
])
def test_a_hostile_image_is_refused_and_nothing_is_kept(call, declared, data):
    image_id = make(call, disk_format=declared)
    answer = fill(call, image_id, data)
    assert answer.status_code == 415
    assert answer.headers["Content-Type"].startswith("text/html")
    assert Image.objects.get(id=image_id).status == "queued"
    assert list(settings.IMAGE_STORE.iterdir()) == []


def test_bytes_that_are_no_disk_are_kept_but_never_booted(call):
    image_id = make(call)
    assert fill(call, image_id, b"\x01random").status_code == 204
    with pytest.raises(ImageNotBootable):
        usable_image(PEOPLE["ann"], image_id)


def test_a_second_upload_is_a_conflict(call):
    image_id = make(call)
    fill(call, image_id, blank_qcow2(2**20))
    assert fill(call, image_id, blank_qcow2(2**20)).status_code == 409


def test_a_private_image_of_another_project_is_not_there(call):
    image_id = make(call, visibility="private")
    for method, path in [("GET", ""), ("DELETE", ""), ("GET", "/file"), ("GET", "/members"), ("PUT", "/tags/x")]:
        assert call(method, f"/v2/images/{image_id}{path}", who="bob").status_code == 404
    with pytest.raises(ImageNotFound):
        usable_image(PEOPLE["bob"], image_id)


def test_a_shared_image_is_listed_once_accepted(call):
    image_id = make(call)
    assert call("POST", f"/v2/images/{image_id}/members", {"member": "b"}).status_code == 200
    assert call("GET", f"/v2/images/{image_id}", who="bob").status_code == 200
    assert call("GET", "/v2/images", who="bob").json()["images"] == []
    assert call("PUT", f"/v2/images/{image_id}/members/b", {"status": "accepted"}).status_code == 403
    assert call("PUT", f"/v2/images/{image_id}/members/b", {"status": "accepted"}, who="bob").status_code == 200
    assert [image["id"] for image in call("GET", "/v2/images", who="bob").json()["images"]] == [image_id]
    assert call("DELETE", f"/v2/images/{image_id}", who="bob").status_code == 404


def test_only_an_admin_publishes(call):
    body = {"name": "p", "visibility": "public"}
    assert call("POST", "/v2/images", body).status_code == 403
    assert call("POST", "/v2/images", body, who="admin").status_code == 201


@pytest.mark.parametrize(("patch", "status"), [
    ([{"op": "replace", "path": "/name", "value": "new"}], 200),
    ([{"op": "add", "path": "/colour", "value": "red"}, {"op": "remove", "path": "/colour"}], 200),
    ([{"op": "replace", "path": "/colour", "value": "red"}], 409),
    ([{"op": "replace", "path": "/status", "value": "active"}], 403),
    ([{"op": "add", "path": "/os_glance_x", "value": "y"}], 403),
    ([{"op": "replace", "path": "/min_disk", "value": -1}], 400),
    ([{"op": "add", "path": "/name/first", "value": "y"}], 400),
    ([{"op": "move", "path": "/name", "value": "y"}], 400),
    ({"op": "add"}, 400),
])
def test_a_patch_is_applied_whole_or_refused(call, patch, status):
    image_id = make(call)
    answer = call("PATCH", f"/v2/images/{image_id}", patch, kind=JSON_PATCH)
    assert answer.status_code == status
    if status != 200:
        assert call("GET", f"/v2/images/{image_id}").json()["name"] == "i"


def test_a_patch_of_another_type_is_unsupported(call):
    assert call("PATCH", f"/v2/images/{make(call)}", [], kind="application/json").status_code == 415


def test_a_protected_image_stays(call):
    assert call("DELETE", f"/v2/images/{make(call, protected=True)}").status_code == 403


def test_pages_follow_each_other_without_gap_or_repetition(call):
    made = {make(call, name=f"i{number}") for number in range(5)}
    seen, path = [], "/v2/images?limit=2&sort=name:asc"
    while path:
        body = call("GET", path).json()
        seen += [image["id"] for image in body["images"]]
        path = body.get("next")
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "sort_key=secret", "sort=name:up", "marker=nobody",
                                   "visibility=odd", "status=odd", "size_min=big", "created_at=when", "name=%00",
                                   "protected=maybe"])
def test_a_bad_query_is_400(call, query):
    assert call("GET", f"/v2/images?{query}").status_code == 400


def test_unknown_filters_match_properties_and_never_reach_other_columns(call):
    image_id = make(call, colour="red")
    assert [one["id"] for one in call("GET", "/v2/images?colour=red").json()["images"]] == [image_id]
    for query in ("colour__startswith=r", "owner__in=a", "members__member=b"):
        assert call("GET", f"/v2/images?{query}").json()["images"] == []


def test_a_host_fetches_by_signed_link_only(call, client):
    image_id, data = make(call), blank_qcow2(2**20)
    fill(call, image_id, data)
    url = signed_url(Image.objects.get(id=image_id), "h1", 60).split("/image", 1)[1]
    assert b"".join(client.get(f"/image{url}").streaming_content) == data
    assert client.get(f"/image{url.replace('h1', 'h2')}").status_code == 403
    assert client.get(f"/image/blobs/{image_id}").status_code == 403


def below(url):
    return "/image" + url.split("/image", 1)[1]


def leave(client, url, data):
    return client.generic("PUT", below(url), data, content_type="application/octet-stream")


def test_a_host_leaves_the_data_of_a_queued_image_once(call, client):
    image_id, data = make(call), blank_qcow2(2**20)
    url = upload_url(Image.objects.get(id=image_id), "h1", 60)
    assert leave(client, url.replace("h1", "h2"), data).status_code == 403
    assert leave(client, signed_url(Image.objects.get(id=image_id), "h1", 60), data).status_code == 403
    assert [leave(client, url, data).status_code for _ in range(2)] == [204, 204]
    assert call("GET", f"/v2/images/{image_id}").json()["status"] == "active"
    assert leave(client, upload_url(Image(id=NOWHERE), "h1", 60), data).status_code == 404


def test_a_host_begins_again_after_its_upload_was_cut_by_the_death_of_the_api(call, client):
    image_id, data = make(call), blank_qcow2(2**20)
    url = upload_url(Image.objects.get(id=image_id), "h1", 60)
    Image.objects.filter(id=image_id).update(status="saving")
    blob_store.draft_of(image_id).parent.mkdir(parents=True, exist_ok=True)
    blob_store.draft_of(image_id).write_bytes(b"half" * 2**20)
    assert leave(client, url, data).status_code == 204
    image = Image.objects.get(id=image_id)
    assert (image.status, image.size, blob_store.path_of(image_id).read_bytes()) == ("active", len(data), data)
    assert not blob_store.draft_of(image_id).exists()


def test_what_a_host_leaves_is_inspected_as_everything_else(call, client):
    image_id = make(call)
    url = upload_url(Image.objects.get(id=image_id), "h1", 60)
    assert leave(client, url, BACKED).status_code == 415
    assert call("GET", f"/v2/images/{image_id}").json()["status"] == "queued"


def test_a_disk_travels_by_signed_links_and_is_dropped(client, settings, tmp_path):
    settings.TRANSFER_STORE = tmp_path / "transfers"
    there, back = (make_url(NOWHERE, "disk", "h1", 60) for make_url in (transfers.upload_url, transfers.download_url))
    assert client.get(below(back)).status_code == 404
    assert [leave(client, there, data).status_code for data in (b"old", b"new")] == [204, 204]
    assert b"".join(client.get(below(back)).streaming_content) == b"new"
    for wrong in (there, back.replace("h1", "h2"), back.replace("/disk?", "/other?"), back.split("?")[0]):
        assert client.get(below(wrong)).status_code == 403
    assert leave(client, back, b"x").status_code == 403
    assert transfers.ids() == [NOWHERE]
    for _ in range(2):
        transfers.drop(NOWHERE)
    assert transfers.ids() == []


def test_a_disk_that_is_too_large_leaves_nothing(client, settings, tmp_path):
    settings.TRANSFER_STORE, settings.IMAGE_MAX_BYTES = tmp_path / "transfers", 3
    assert leave(client, transfers.upload_url(NOWHERE, "disk", "h1", 60), b"1234").status_code == 413
    assert list((settings.TRANSFER_STORE / NOWHERE).iterdir()) == []


def test_schemas_name_themselves(call):
    assert call("GET", "/v2/schemas/metadefs/resource_type").json()["name"] == "resource_type_association"
    assert call("GET", "/v2/schemas/nothing").status_code == 404


def test_nothing_is_done_to_an_image_in_the_background(call):
    image = call("post", "/v2/images", {"name": "i"}).json()["id"]
    assert call("get", f"/v2/images/{image}/tasks").json() == {"tasks": []}
    assert call("get", f"/v2/images/{image}/tasks", who="bob").status_code == 404
    assert call("get", f"/v2/images/{NOWHERE}/tasks").status_code == 404
