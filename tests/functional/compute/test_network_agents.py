"""Hosts as agents of the network service."""

import pytest
from django.test import Client
from django.utils import timezone

from cloud.compute.models import Service
from cloud.core import context
from tests.functional.compute.conftest import CONTEXTS

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/agents"


@pytest.fixture
def ask(monkeypatch):
    monkeypatch.setattr(context, "_authenticators", [lambda token, request_id: CONTEXTS.get(token)])
    return lambda path="", token="admin": Client().get(f"{URL}{path}", headers={"x-auth-token": token})


def test_every_host_that_reported_is_one(ask):
    for host, seen in (("h1", timezone.now()), ("h2", None)):
        Service.objects.create(binary="nova-compute", host=host, last_seen_at=seen, disabled=host == "h2")
    Service.objects.create(binary="nova-conductor", host="h1")
    first, second = ask().json()["agents"]
    assert [(one["host"], one["alive"], one["admin_state_up"]) for one in (first, second)] == [
        ("h1", True, True), ("h2", False, False)]
    assert ask(f"/{first['id']}").json() == {"agent": first}
    assert ask("?alive=true&fields=host").json() == {"agents": [{"host": "h1"}]}
    assert ask("?host=h2").json()["agents"] == [second]
    assert ask("?colour=red").status_code == 400
    assert ask("?alive=perhaps").status_code == 400
    assert ask(f"/{first['id'][:-1]}x").status_code == 404
    assert ask(token="member").json() == {"agents": []}
    assert ask(f"/{first['id']}", token="member").status_code == 403
