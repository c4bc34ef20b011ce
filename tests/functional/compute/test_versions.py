"""Version documents: how clients find the API."""

import pytest
from django.test import Client

BASE = "http://testserver/compute"


@pytest.mark.parametrize("path", ["/compute", "/compute/"])
def test_root_lists_both_versions_without_token_and_microversion(path):
    answer = Client().get(path)
    assert answer.status_code == 200
    old, new = answer.json()["versions"]
    assert (old["id"], old["version"], old["min_version"], old["status"]) == ("v2.0", "", "", "DEPRECATED")
    assert (new["id"], new["version"], new["min_version"], new["status"]) == ("v2.1", "2.104", "2.1", "CURRENT")
    assert new["links"] == [{"rel": "self", "href": f"{BASE}/v2.1/"}]
    assert "OpenStack-API-Version" not in answer.headers


@pytest.mark.parametrize("path", ["/compute/v2.1", "/compute/v2.1/"])
def test_version_document_carries_microversion_headers(path):
    answer = Client().get(path, headers={"openstack-api-version": "compute latest"})
    assert answer.status_code == 200
    assert answer.headers["OpenStack-API-Version"] == "compute 2.104"
    document = answer.json()["version"]
    assert [link["rel"] for link in document["links"]] == ["self", "describedby"]
    assert document["media-types"][0]["type"].endswith("version=2.1")


@pytest.mark.parametrize("path", ["/compute/v2", "/compute/v2/"])
def test_old_version_has_a_document(path):
    assert Client().get(path).json()["version"]["id"] == "v2.0"


def test_host_of_the_client_stands_in_the_links():
    answer = Client().get("/compute/", headers={"host": "localhost:9999"})
    assert answer.json()["versions"][1]["links"][0]["href"] == "http://localhost:9999/compute/v2.1/"


def test_other_paths_offer_choices():
    answer = Client().get("/compute/v3/servers")
    assert answer.status_code == 300
    assert [one["id"] for one in answer.json()["choices"]] == ["v2.0", "v2.1"]
    assert answer.json()["choices"][1]["links"][0]["href"] == f"{BASE}/v2.1/v3/servers"


@pytest.mark.parametrize("path", ["/compute/v2.1/nothing", "/compute/v2.1/abc123/nothing", "/compute/v2/servers"])
def test_unknown_path_below_a_version_is_a_page(path):
    answer = Client().get(path)
    assert answer.status_code == 404
    assert b"this cloud serves nothing at this path" in answer.content
    assert answer.headers["Content-Type"].startswith("text/html")
