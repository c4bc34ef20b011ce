"""A caller of the identity API."""

import json
from types import SimpleNamespace

import pytest
from django.test import Client

from cloud.identity.services import revocations
from tests.factories.identity import assign, create_project, create_user, token_for


class Caller:
    """Sends JSON with a token below /identity/v3."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self._client = Client()

    def __call__(self, method: str, path: str, body: object = None, **headers: str):
        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        send = getattr(self._client, method.lower())
        return send(f"/identity/v3{path}", headers={"x-auth-token": self.token, **headers}, **content)


@pytest.fixture(autouse=True)
def _new_process(monkeypatch, settings):
    """Let each test begin as a process that has not asked Redis, and finds none unless it takes one."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(revocations, "_epoch", revocations._Epoch())


@pytest.fixture
def someone(db):
    """A member of a project: user, project, call."""
    user, project = create_user(), create_project()
    assign(user, "member", project)
    return SimpleNamespace(user=user, project=project, call=Caller(token_for(user, project)))


@pytest.fixture
def admin(db):
    """An administrator: user, project, call."""
    user, project = create_user(), create_project()
    assign(user, "admin", project)
    return SimpleNamespace(user=user, project=project, call=Caller(token_for(user, project)))
