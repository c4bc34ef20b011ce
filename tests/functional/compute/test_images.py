"""Images through compute's old API."""

import pytest

from cloud.identity.services import quotas
from cloud.images.models import Image
from tests.functional.compute.conftest import MINE, THEIRS, fault


def make(name="i", owner=MINE, **columns):
    return Image.objects.create(name=name, owner=owner, **{"status": "active", "visibility": "private"} | columns)


def names(api, query=""):
    return [one["name"] for one in api.get(f"/images{query}").json()["images"]]


def test_image_is_shown_with_its_links(member):
    image = make(size=7, min_ram=64, properties={"a": "b"})
    view = member.get(f"/images/{image.id}").json()["image"]
    assert (view["status"], view["progress"], view["metadata"], view["minRam"]) == ("ACTIVE", 100, {"a": "b"}, 64)
    assert view["OS-EXT-IMG-SIZE:size"] == 7
    assert [link["rel"] for link in view["links"]] == ["self", "bookmark", "alternate"]
    assert member.get("/images/detail").json()["images"] == [view]
    assert "server" not in view


def test_snapshot_names_its_server(member):
    server = "11111111-1111-4111-8111-111111111111"
    image = make(properties={"instance_uuid": server, "auto_disk_config": "True"})
    make("other")
    view = member.get(f"/images/{image.id}").json()["image"]
    assert view["server"]["id"] == server
    assert view["OS-DCF:diskConfig"] == "AUTO"
    for asked in (server, view["server"]["links"][0]["href"]):
        assert names(member, f"?server={asked}") == ["i"]


def test_filters(member):
    make("a", min_ram=128, properties={"image_type": "snapshot"})
    image = make("b", status="queued")
    assert names(member, "?name=a") == ["a"]
    assert names(member, "?status=ACTIVE") == ["a"]
    assert names(member, "?status=nonsense") == []
    assert names(member, "?type=snapshot") == ["a"]
    assert names(member, "?property-image_type=snapshot") == ["a"]
    assert names(member, "?property-a__contains=x") == []
    assert names(member, "?minRam=64") == ["a"]
    since = image.updated_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert names(member, f"?changes-since={since}") == ["b"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "marker=none", "minRam=x", "changes-since=yesterday"])
def test_nonsense_in_the_query_is_refused(member, query):
    assert member.get(f"/images?{query}").status_code == 400


def test_pages(member):
    for name in "abc":
        make(name)
    answer = member.get("/images?limit=2").json()
    assert [one["name"] for one in answer["images"]] == ["c", "b"]
    assert names(member, "?" + answer["images_links"][0]["href"].split("?")[1]) == ["a"]


def test_images_of_others_are_not_found(member, admin):
    image = make(owner=THEIRS)
    assert names(member) == []
    for method in ("GET", "DELETE"):
        assert member.send(method, f"/images/{image.id}").status_code == 404
    assert member.get(f"/images/{image.id}/metadata").status_code == 404
    assert member.get("/images/none").status_code == 404
    assert admin.get(f"/images/{image.id}").status_code == 200


def test_metadata_come_and_go(member):
    image = make(properties={"a": "1"})
    path = f"/images/{image.id}/metadata"
    assert member.post(path, {"metadata": {"b": "2"}}).json() == {"metadata": {"a": "1", "b": "2"}}
    assert member.put(f"{path}/c", {"meta": {"c": "3"}}).json() == {"meta": {"c": "3"}}
    assert member.get(f"{path}/c").json() == {"meta": {"c": "3"}}
    assert member.put(path, {"metadata": {"z": "9"}}).json() == {"metadata": {"z": "9"}}
    assert member.get(path).json() == {"metadata": {"z": "9"}}
    assert member.delete(f"{path}/z").status_code == 204
    answer = member.delete(f"{path}/z")
    assert (answer.status_code, fault(answer)) == (404, "Invalid metadata key")
    assert member.get(f"{path}/z").status_code == 404


@pytest.mark.parametrize("item", [{"name": "x"}, {"os_glance_x": "1"}, {"status": "a"}, {"a": 1}, {"a": "x" * 256}])
def test_metadata_cannot_change_the_image(member, item):
    image = make()
    answer = member.post(f"/images/{image.id}/metadata", {"metadata": item})
    assert answer.status_code in (400, 403)
    assert Image.objects.get(pk=image.pk).properties == {}


def test_metadata_quota(member):
    quotas.set_limits(MINE, {"metadata_items": 1})
    image = make()
    assert member.post(f"/images/{image.id}/metadata", {"metadata": {"a": "1", "b": "2"}}).status_code == 403


def test_end_at_2_36_and_2_39(member):
    image = make()
    assert member.at("2.36").get("/images").status_code == 404
    assert member.at("2.38").get(f"/images/{image.id}/metadata").status_code == 200
    assert member.at("2.39").get(f"/images/{image.id}/metadata").status_code == 404


def test_delete(member, reader):
    image = make()
    assert reader.delete(f"/images/{image.id}").status_code == 403
    assert member.delete(f"/images/{image.id}").status_code == 204
    assert member.get(f"/images/{image.id}").status_code == 404


def test_list_costs_one_query(member, django_assert_num_queries):
    for name in "abc":
        make(name)
    with django_assert_num_queries(1):
        member.get("/images/detail")
