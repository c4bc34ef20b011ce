"""A client of the compute API under several identities."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from cloud.core import context
from cloud.core.context import RequestContext
from cloud.identity.models import Domain, Project

MINE, THEIRS = "0" * 31 + "1", "0" * 31 + "2"
MEMBER = frozenset({"member", "reader"})
CONTEXTS = {
    "member": RequestContext("", "user-1", project_id=MINE, roles=MEMBER),
    "reader": RequestContext("", "user-2", project_id=MINE, roles=frozenset({"reader"})),
    "stranger": RequestContext("", "user-3", project_id=THEIRS, roles=MEMBER),
    "admin": RequestContext("", "admin", project_id="a" * 32, roles=MEMBER | {"admin", "manager"}),
}


@dataclass
class Api:
    """Sends requests as somebody, at a microversion."""

    who: str = "member"
    number: str = "2.1"
    prefix: str = "/compute/v2.1"

    def at(self, number: str) -> "Api":
        return Api(self.who, number, self.prefix)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        raw = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        headers = {"x-auth-token": self.who, "x-openstack-nova-api-version": self.number}
        return Client().generic(method, self.prefix + path, headers=headers, **raw)

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self.send("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)


@pytest.fixture
def _identities(db, monkeypatch):
    domain, _ = Domain.objects.get_or_create(id="default", defaults={"name": "Default"})
    for who in CONTEXTS.values():
        Project.objects.get_or_create(id=who.project_id, defaults={"name": who.project_id, "domain": domain})
    monkeypatch.setattr(context, "_authenticators", [lambda token, _: CONTEXTS.get(token)])


@pytest.fixture
def member(_identities) -> Api:
    return Api("member")


@pytest.fixture
def reader(_identities) -> Api:
    return Api("reader")


@pytest.fixture
def stranger(_identities) -> Api:
    return Api("stranger")


@pytest.fixture
def admin(_identities) -> Api:
    return Api("admin")


def fault(answer: Any) -> str:
    """Return the message of a fault, checking its shape."""
    (body,) = answer.json().values()
    assert body["code"] == answer.status_code
    return body["message"]
