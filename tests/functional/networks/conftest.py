"""What the tests of the network domain build on."""

import json
from dataclasses import replace

import pytest
from django.test import Client

from cloud.core import context
from cloud.core.context import RequestContext
from cloud.networks.models import Network, Subnet

MEMBER = RequestContext("req-x", "u", project_id="p1", roles=frozenset({"member", "reader"}))


@pytest.fixture
def member():
    return MEMBER


@pytest.fixture
def make_network():
    """Return a function that makes a network with one subnet."""

    def make(cidr: str = "10.0.0.0/24", first: int = 2, last: int = 254, **columns) -> Network:
        network = Network.objects.create(**{"name": "net", "project_id": "p1", **columns})
        base = cidr.rsplit(".", 1)[0]
        Subnet.objects.create(
            network=network, project_id=network.project_id, cidr=cidr, gateway_ip=f"{base}.1",
            allocation_pools=[{"start": f"{base}.{first}", "end": f"{base}.{last}"}],
            dns_nameservers=["9.9.9.9"], host_routes=[{"destination": "10.9.0.0/16", "nexthop": f"{base}.9"}],
        )
        return network

    return make


class Api:
    """Django's test client, speaking JSON under one of four tokens: member, reader, admin (p1) and stranger (p2)."""

    def __init__(self) -> None:
        self._client = Client()

    def _send(self, method: str, path: str, body: object, token: str):
        raw = b"" if body is None else json.dumps(body)
        return self._client.generic(method, path, raw, content_type="application/json", headers={"x-auth-token": token})

    def get(self, path: str, token: str = "member"):
        return self._send("GET", path, None, token)

    def delete(self, path: str, token: str = "member"):
        return self._send("DELETE", path, None, token)

    def post(self, path: str, body: object, token: str = "member"):
        return self._send("POST", path, body, token)

    def put(self, path: str, body: object = None, token: str = "member"):
        return self._send("PUT", path, body, token)


_ADMIN = frozenset({"admin", "member", "reader"})
TOKENS = {
    "member": MEMBER,
    "reader": replace(MEMBER, roles=frozenset({"reader"})),
    "admin": replace(MEMBER, roles=_ADMIN),
    "stranger": replace(MEMBER, project_id="p2"),
}


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setattr(context, "_authenticators", [lambda token, request_id: TOKENS.get(token)])
    return Api()
