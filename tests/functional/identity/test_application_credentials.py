"""Application credentials stand for their user, with no more rights than the user has now."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from cloud.identity.models import ApplicationCredential, Role, RoleAssignment
from tests.factories.identity import PASSWORD, assign, token_for
from tests.functional.identity.conftest import Caller

pytestmark = pytest.mark.django_db


def path(someone, id=""):
    return f"/users/{someone.user.id}/application_credentials" + (f"/{id}" if id else "")


def make(someone, **fields):
    body = {"application_credential": {"name": "robot", **fields}}
    return someone.call("POST", path(someone), body)


def log_in(given, scope=None):
    identity = {"methods": ["application_credential"], "application_credential": given}
    auth = {"identity": identity, **({"scope": scope} if scope else {})}
    return Client().post("/identity/v3/auth/tokens", json.dumps({"auth": auth}), content_type="application/json")


def caller(made):
    given = {"id": made["id"], "secret": made["secret"]}
    return Caller(log_in(given).headers["X-Subject-Token"])


def test_a_credential_shows_its_secret_once_and_logs_in_to_its_project(someone):
    answer = make(someone, description="d")
    assert answer.status_code == 201
    made = answer.json()["application_credential"]
    assert (made["project_id"], made["unrestricted"], made["expires_at"]) == (someone.project.id, False, None)
    assert {role["name"] for role in made["roles"]} == {"member", "reader"}
    shown = someone.call("GET", path(someone, made["id"])).json()["application_credential"]
    assert shown == {key: value for key, value in made.items() if key != "secret"}
    assert someone.call("GET", f"{path(someone)}?name=other").json()["application_credentials"] == []
    assert ApplicationCredential.objects.get().secret_hash.startswith("argon2")
    for given in ({"id": made["id"]}, {"name": "robot", "user": {"id": someone.user.id}},
                  {"name": "robot", "user": {"name": someone.user.name, "domain": {"id": "default"}}}):
        answer = log_in({**given, "secret": made["secret"]})
        assert answer.status_code == 201
        token = answer.json()["token"]
        assert token["methods"] == ["application_credential"]
        assert token["project"]["id"] == someone.project.id
        assert token["application_credential"] == {"id": made["id"], "name": "robot", "restricted": True}


@pytest.mark.parametrize("wrong", ["secret", "id", "name", "scope"])
def test_whatever_is_wrong_the_answer_is_401(someone, wrong):
    made = make(someone).json()["application_credential"]
    given = {"id": made["id"], "secret": made["secret"]}
    if wrong == "name":
        given = {"name": "nobody", "user": {"id": "0" * 32}, "secret": made["secret"]}
    elif wrong != "scope":
        given[wrong] = "0" * 32
    scope = {"project": {"id": someone.project.id}} if wrong == "scope" else None
    assert log_in(given, scope).status_code == 401


def test_roles_may_be_fewer_but_never_more_than_the_tokens(someone):
    made = make(someone, roles=[{"name": "reader"}]).json()["application_credential"]
    assert [role["name"] for role in made["roles"]] == ["reader"]
    admin_role = Role.objects.get(name="admin")
    for roles in ([{"id": admin_role.id}], [{"name": "reader"}, {"name": "admin"}]):
        assert make(someone, name="other", roles=roles).status_code == 400
    assert ApplicationCredential.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"expires_at": "2001-01-01T00:00:00"}, {"expires_at": "soon"}, {"colour": "blue"},
     {"access_rules": [{"path": "/v2.1/servers", "method": "GET", "service": "compute"}]}],
)
def test_bad_input_is_400(someone, fields):
    assert make(someone, **fields).status_code == 400


def test_names_are_unique_for_each_user(someone, admin):
    assert make(someone).status_code == 201
    assert make(someone).status_code == 409
    assert make(admin).status_code == 201


def test_expiry_is_written_as_keystone_writes_it_and_ends_the_credential(someone):
    made = make(someone, expires_at="2099-01-02T03:04:05.000006").json()["application_credential"]
    assert made["expires_at"] == "2099-01-02T03:04:05.000006"
    given = {"id": made["id"], "secret": made["secret"]}
    ApplicationCredential.objects.update(expires_at=timezone.now() + timezone.timedelta(minutes=1))
    token = log_in(given).json()["token"]
    assert token["expires_at"][:16] <= (timezone.now() + timezone.timedelta(minutes=2)).isoformat()[:16]
    ApplicationCredential.objects.update(expires_at=timezone.now())
    assert log_in(given).status_code == 401


def test_a_restricted_credential_makes_and_removes_no_credentials(someone):
    made = make(someone).json()["application_credential"]
    robot = caller(made)
    body = {"application_credential": {"name": "child"}}
    assert robot("POST", path(someone), body).status_code == 403
    assert robot("DELETE", path(someone, made["id"])).status_code == 403
    assert robot("GET", path(someone)).status_code == 200


def test_an_unrestricted_credential_makes_others_within_its_own_roles(someone):
    made = make(someone, unrestricted=True, roles=[{"name": "reader"}]).json()["application_credential"]
    robot = caller(made)

    def child(name, *roles):
        return robot("POST", path(someone), {"application_credential": {"name": name, "roles": list(roles)}})

    assert child("wide", {"name": "member"}).status_code == 400
    assert [role["name"] for role in child("same").json()["application_credential"]["roles"]] == ["reader"]


def test_its_token_cannot_be_exchanged_for_a_wider_one(someone):
    robot = caller(make(someone, unrestricted=True, roles=[{"name": "reader"}]).json()["application_credential"])
    auth = {"identity": {"methods": ["token"], "token": {"id": robot.token}},
            "scope": {"project": {"id": someone.project.id}}}
    assert robot("POST", "/auth/tokens", {"auth": auth}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_it_loses_what_its_user_loses(someone, admin):
    made = make(someone).json()["application_credential"]
    robot = caller(made)
    assign(someone.user, "reader", someone.project)
    member = Role.objects.get(name="member").id
    admin.call("DELETE", f"/projects/{someone.project.id}/users/{someone.user.id}/roles/{member}")
    subject = {"x-subject-token": robot.token}
    assert [role["name"] for role in robot("GET", "/auth/tokens", **subject).json()["token"]["roles"]] == ["reader"]
    RoleAssignment.objects.filter(user=someone.user).delete()
    assert log_in({"id": made["id"], "secret": made["secret"]}).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_its_tokens_end_with_it(someone):
    made = make(someone).json()["application_credential"]
    robot = caller(made)
    assert robot("GET", "/auth/projects").status_code == 200
    assert someone.call("DELETE", path(someone, made["id"])).status_code == 204
    assert robot("GET", "/auth/projects").status_code == 401
    assert someone.call("DELETE", path(someone, made["id"])).status_code == 404


def test_nobody_makes_or_sees_another_users(someone, admin):
    made = make(someone).json()["application_credential"]
    other = Caller(token_for(admin.user, admin.project))
    assert other("POST", path(someone), {"application_credential": {"name": "x"}}).status_code == 403
    stranger = admin
    assert stranger.call("GET", path(someone, made["id"])).status_code == 200
    assert someone.call("GET", path(admin)).status_code == 403
    assert someone.call("GET", path(admin, made["id"])).status_code == 403
    assert stranger.call("GET", path(admin, made["id"])).status_code == 404


def test_an_unscoped_token_makes_none(someone):
    unscoped = Caller(token_for(someone.user))
    body = {"application_credential": {"name": "x", "secret": PASSWORD}}
    assert unscoped("POST", path(someone), body).status_code == 400
