"""An endpoint's way from the request to the answer."""

import json

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from cloud.core import context, faults, policy
from cloud.core.context import RequestContext
from cloud.core.endpoints import ApiRequest, Service, endpoint, route
from cloud.core.http import patterns, unknown_path
from cloud.core.microversions import Microversions, version

POLICY = {"test:things:create": policy.project_member}
policy.register(POLICY)
BODY = {"type": "object", "properties": {"name": {"type": "string", "format": "name"}}, "required": ["name"],
        "additionalProperties": False}


@endpoint("test:things:create", status=202, body=BODY, since="2.3")
def create(request: ApiRequest, thing_id: str) -> dict[str, str]:
    return {"id": thing_id, "name": request.body["name"], "version": str(request.version)}


SERVICE = Service(
    "compute", "things", faults.nova,
    Microversions("compute", version("2.1"), version("2.104"), "X-OpenStack-Nova-API-Version"),
)
ROUTES = [route("/v2.1/things/<str:thing_id>", POST=create)]
urlpatterns = [path("things", include([*patterns(SERVICE, ROUTES), unknown_path(SERVICE)]))]
MEMBER = RequestContext("req-x", "u", project_id="p", roles=frozenset({"member", "reader"}))
READER = RequestContext("req-x", "u", project_id="p", roles=frozenset({"reader"}))


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(context, "_authenticators", [_by_token])
    with override_settings(ROOT_URLCONF=__name__):
        yield Client()


def _by_token(token: str, request_id: str) -> RequestContext | None:
    return {"good": MEMBER, "weak": READER}.get(token)


def post(client: Client, body: object, token: str = "good", number: str = "2.10", **headers: str):
    raw = body if isinstance(body, bytes) else json.dumps(body)
    return client.post("/things/v2.1/things/7", raw, content_type="application/json",
                       headers={"x-auth-token": token, "openstack-api-version": f"compute {number}", **headers})


def test_success_has_status_version_and_request_id(client):
    answer = post(client, {"name": "n"})
    assert answer.status_code == 202
    assert answer.json() == {"id": "7", "name": "n", "version": "2.10"}
    assert answer.headers["OpenStack-API-Version"] == "compute 2.10"
    assert answer.headers["x-compute-request-id"] == answer.headers["x-openstack-request-id"]


@pytest.mark.parametrize(
    ("body", "token", "number", "status", "key"),
    [
        ({"name": "n"}, "bad", "2.10", 401, "error"),
        ({"name": "n"}, "weak", "2.10", 403, "forbidden"),
        ({"name": "n"}, "good", "2.2", 404, "itemNotFound"),
        ({"name": "n"}, "good", "2.999", 406, "computeFault"),
        ({"name": "n"}, "good", "2.01x", 400, "badRequest"),
        ({"name": "n", "x": 1}, "good", "2.10", 400, "badRequest"),
        ({"name": "a\u0000b"}, "good", "2.10", 400, "badRequest"),
        (b"{", "good", "2.10", 400, "badRequest"),
        (None, "good", "2.10", 400, "badRequest"),
        ({"name": "x" * 200_000}, "good", "2.10", 413, "overLimit"),
    ],
)
def test_bad_input_gets_novas_fault(client, body, token, number, status, key):
    answer = post(client, body, token, number)
    assert answer.status_code == status
    assert list(answer.json()) == [key]
    assert answer.json()[key]["message"]


def test_forged_identity_headers_change_nothing(client):
    assert post(client, {"name": "n"}, "weak", **{"x-roles": "admin", "x-project-id": "p"}).status_code == 403


def test_unknown_path_is_a_page_without_versions(client):
    answer = client.get("/things/v2.1/nowhere")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "OpenStack-API-Version" not in answer.headers


@pytest.mark.parametrize("path", ["/things/v2.1/things/a%00b", "/things/v2.1/things/7?marker=%00"])
def test_nul_in_a_url_never_reaches_the_database(client, path):
    answer = client.post(path, json.dumps({"name": "n"}), content_type="application/json",
                         headers={"x-auth-token": "good", "openstack-api-version": "compute 2.10"})
    assert answer.status_code in (400, 404)
