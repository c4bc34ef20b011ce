"""Version documents and the catalog."""

import pytest

from tests.factories.identity import token_for
from tests.functional.identity.conftest import Caller


def test_version_documents_need_no_token_and_speak_of_the_host_that_was_asked(client):
    for path in ("/identity", "/identity/"):
        answer = client.get(path, headers={"host": "localhost:81"})
        assert answer.status_code == 300
        assert answer.headers["Location"] == "http://localhost:81/identity/v3/"
        [version] = answer.json()["versions"]["values"]
        assert version["id"].startswith("v3.")
    for path in ("/identity/v3", "/identity/v3/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.json()["version"]["links"] == [{"rel": "self", "href": "http://testserver/identity/v3/"}]


@pytest.mark.django_db
def test_the_catalog_is_the_same_in_all_its_places(someone):
    catalog = someone.call("GET", "/auth/catalog").json()["catalog"]
    assert [service["type"] for service in catalog] == ["identity", "compute", "image", "network", "placement"]
    services = someone.call("GET", "/services?type=compute").json()["services"]
    assert [service["name"] for service in services] == ["nova"]
    found = someone.call("GET", f"/endpoints?service_id={services[0]['id']}&interface=public").json()["endpoints"]
    assert [one["url"] for one in found] == ["http://testserver/compute/v2.1"]
    for kind, id in (("services", services[0]["id"]), ("endpoints", found[0]["id"]), ("regions", "RegionOne")):
        assert someone.call("GET", f"/{kind}/{id}").json()[kind[:-1]]["id"] == id
        assert someone.call("GET", f"/{kind}/nowhere").status_code == 404
    assert someone.call("POST", "/services", {"service": {"type": "x"}}).status_code == 404


@pytest.mark.django_db
def test_an_unscoped_token_has_no_catalog(someone):
    assert Caller(token_for(someone.user))("GET", "/auth/catalog").status_code == 403
