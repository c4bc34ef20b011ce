"""Tokens: issued, validated, ended."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from cloud.identity.models import Project, User
from cloud.identity.services import revocations
from cloud.identity.services.contexts import authenticator
from tests.factories.identity import PASSWORD, assign, create_project, create_token, create_user, token_for

pytestmark = pytest.mark.django_db
URL = "/identity/v3/auth/tokens"


@pytest.fixture
def user():
    return create_user("anna")


@pytest.fixture
def project(user):
    project = create_project("garden")
    assign(user, "member", project)
    return project


def ask(client: Client, user: object, scope: object = None, methods=("password",), **parts):
    identity = {"methods": list(methods), "password": {"user": user}, **parts}
    auth = {"identity": identity} if scope is None else {"identity": identity, "scope": scope}
    return client.post(URL, json.dumps({"auth": auth}), content_type="application/json")


def by_name(name="anna", password=PASSWORD):
    return {"name": name, "password": password, "domain": {"name": "Default"}}


def headers(token: str, subject: str = ""):
    return {"x-auth-token": token, "x-subject-token": subject or token}


def test_password_and_project_by_name_give_a_scoped_token(client, user, project):
    answer = ask(client, by_name(), {"project": {"name": "garden", "domain": {"id": "default"}}})
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert token["methods"] == ["password"]
    assert token["user"]["name"] == "anna"
    assert token["user"]["domain"] == {"id": "default", "name": "Default"}
    assert token["project"] == {"id": project.id, "name": "garden", "domain": {"id": "default", "name": "Default"}}
    assert {role["name"] for role in token["roles"]} == {"member", "reader"}
    types = {service["type"] for service in token["catalog"]}
    assert types == {"identity", "compute", "image", "network", "placement"}
    urls = {end["url"] for service in token["catalog"] for end in service["endpoints"]}
    assert "http://testserver/compute/v2.1" in urls
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", token["expires_at"])
    assert parse_datetime(token["expires_at"]) > timezone.now()
    assert len(answer.headers["X-Subject-Token"]) < 400


@pytest.mark.parametrize(
    "change",
    [
        {"user": by_name(password="wrong")},
        {"user": by_name("nobody")},
        {"user": {"id": "0" * 32, "password": PASSWORD}},
        {"user": {"name": "anna", "password": PASSWORD, "domain": {"name": "Nowhere"}}},
        {"scope": {"project": {"id": "0" * 32}}},
        {"scope": {"project": {"name": "attic", "domain": {"id": "default"}}}},
        {"scope": {"domain": {"id": "default"}}},
        {"scope": {"system": {"all": True}}},
        {"methods": ["telepathy"]},
        {"methods": []},
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(client, user, project, change):
    create_project("attic")
    answer = ask(client, **{"user": by_name(), **change})
    assert answer.status_code == 401
    assert answer.json() == {"error": {"code": 401, "title": "Unauthorized",
                                       "message": "The request you have made requires authentication."}}
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


@pytest.mark.parametrize("field", ["user", "domain", "project"])
def test_what_is_disabled_lets_nobody_in(client, user, project, field):
    row = {"user": user, "domain": user.domain, "project": project}[field]
    row.enabled = False
    row.save()
    assert ask(client, by_name(), {"project": {"id": project.id}}).status_code == 401


@pytest.mark.parametrize(
    "auth",
    [
        {}, {"identity": {}}, {"identity": {"methods": "password"}},
        {"identity": {"methods": ["password"]}},
        {"identity": {"methods": ["password"], "password": {"user": {"name": "anna", "password": "x"}}}},
        {"identity": {"methods": ["password"], "password": {"user": {"id": 7, "password": "x"}}}},
        {"identity": {"methods": ["token"], "token": {}}},
        {"identity": {"methods": ["token"], "token": {"id": "x"}},
         "scope": {"project": {"id": "a"}, "domain": {"id": "b"}}},
    ],
)
def test_a_malformed_request_is_400(client, user, auth):
    answer = client.post(URL, json.dumps({"auth": auth}), content_type="application/json")
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]


def test_without_scope_the_default_project_counts_if_there_are_roles_in_it(client, user, project):
    unscoped = ask(client, by_name()).json()["token"]
    assert "project" not in unscoped
    assert "catalog" not in unscoped
    assert "roles" not in unscoped
    User.objects.update(default_project_id=project.id)
    assert ask(client, by_name()).json()["token"]["project"]["id"] == project.id
    assert "project" not in ask(client, by_name(), "unscoped").json()["token"]
    User.objects.update(default_project_id="0" * 32)
    assert "project" not in ask(client, by_name()).json()["token"]


def test_domain_and_system_scopes(client, user):
    assign(user, "admin", domain=user.domain)
    assign(user, "reader", is_system=True)
    token = ask(client, by_name(), {"domain": {"name": "Default"}}).json()["token"]
    assert token["domain"] == {"id": "default", "name": "Default"}
    assert {role["name"] for role in token["roles"]} == {"admin", "manager", "member", "reader"}
    token = ask(client, by_name(), {"system": {"all": True}}).json()["token"]
    assert token["system"] == {"all": True}
    assert [role["name"] for role in token["roles"]] == ["reader"]
    assert token["catalog"]


def test_a_token_gives_a_token_for_another_project_that_ends_no_later(client, user, project):
    other = create_project()
    assign(user, "reader", other)
    first = ask(client, by_name(), "unscoped")
    token = first.headers["X-Subject-Token"]
    answer = ask(client, {"id": "x", "password": "x"}, {"project": {"id": other.id}}, ["token"], token={"id": token})
    assert answer.status_code == 201
    body, old = answer.json()["token"], first.json()["token"]
    assert body["methods"] == ["token", "password"]
    assert body["expires_at"] == old["expires_at"]
    assert body["audit_ids"][1] == old["audit_ids"][0]
    assert body["project"]["id"] == other.id


def test_validate_check_and_revoke(client, user, project):
    token = token_for(user, project)
    answer = client.get(URL, headers=headers(token))
    assert answer.status_code == 200
    assert answer.json()["token"]["project"]["id"] == project.id
    assert "catalog" not in client.get(f"{URL}?nocatalog", headers=headers(token)).json()["token"]
    head = client.head(URL, headers=headers(token))
    assert (head.status_code, head.content) == (200, b"")
    assert client.delete(URL, headers=headers(token)).status_code == 204
    assert client.get(URL, headers=headers(token)).status_code == 401
    assert client.get(URL, headers=headers(token_for(user), token)).status_code == 404
    assert ask(client, {"id": "x", "password": "x"}, None, ["token"], token={"id": token}).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "gAAAAAB" + "x" * 150, "a" * 100_000, "ü"])
def test_a_forged_token_is_404_as_subject_and_401_as_ones_own(client, user, token):
    own = token_for(user)
    assert client.get(URL, headers=headers(own, token or "-")).status_code == 404
    assert client.get(URL, headers=headers(token or "-", own)).status_code == 401


def test_other_peoples_tokens_are_for_admins_and_services(client, user):
    subject = create_token()
    assert client.get(URL, headers=headers(token_for(user), subject)).status_code == 403
    assert client.delete(URL, headers=headers(token_for(user), subject)).status_code == 403
    assert client.get(URL, headers=headers(create_token("service"), subject)).status_code == 200
    assert client.get(URL, headers=headers(create_token("admin"), subject)).status_code == 200


def test_checking_a_token_again_costs_no_query(redis_server, settings, django_assert_num_queries, user, project):
    settings.REDIS_URL = redis_server.url
    token = token_for(user, project)
    revocations.stamp()
    first = authenticator(token, "req-1")
    with django_assert_num_queries(0):
        again = authenticator(token, "req-2")
    assert (first.request_id, again.request_id) == ("req-1", "req-2")
    assert again.roles == {"member", "reader"}
    assert again.project_id == project.id


@pytest.mark.parametrize("has_redis", [True, False])
@pytest.mark.django_db(transaction=True)
def test_a_change_is_felt_at_the_next_request(redis_server, settings, user, project, has_redis):
    settings.REDIS_URL = redis_server.url if has_redis else "redis://127.0.0.1:1/0"
    token = token_for(user, project)
    assert authenticator(token, "req-1").roles == {"member", "reader"}
    assign(user, "admin", project)
    revocations.bump()
    assert authenticator(token, "req-2").is_admin
    Project.objects.update(enabled=False)
    revocations.bump()
    assert authenticator(token, "req-3") is None


def test_an_expired_token_is_refused_even_if_it_was_cached(user, project, settings, monkeypatch):
    settings.TOKEN_LIFETIME_SECONDS = 60
    token = token_for(user, project)
    assert authenticator(token, "req-1")
    later = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert authenticator(token, "req-2") is None
