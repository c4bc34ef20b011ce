"""Every route of every service: has a policy row, asks for a token, speaks its service's dialect."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from cloud.core import policy
from cloud.core.openapi import served

PUBLIC = re.compile(
    r"^/(compute|identity|image|network|placement)(/|/v[\d.]+/?|/versions(/\{\w+\})?|/\{\w+\})?$"
    r"|^/identity/v3/auth/tokens$|^/identity/v3/users/\{user_id\}/password$|^/image/blobs/\{image_id\}$|^/image/transfers/\{transfer_id\}/\{name\}$"
    r"|^/network/hosts/\{host\}$|^/novella/v1/guest-passwords$"
)
ENDPOINTS = [
    pytest.param(path, method, service, endpoint, id=f"{method} {path}")
    for path, service, route in served(get_resolver().url_patterns)
    for method, endpoint in route.endpoints()
]
SAMPLE = "0f6a9fbe-5f5b-4d4e-9f86-1f3c7a0c0f6a"


@pytest.mark.parametrize(("path", "method", "service", "endpoint"), ENDPOINTS)
def test_a_route_has_a_row_or_is_meant_to_be_public(path, method, service, endpoint):
    if endpoint.is_public:
        assert PUBLIC.match(path), "a route without a policy must be in the list of public ones"
    else:
        assert endpoint.policy in policy.rows()


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "method", "service", "endpoint"), [
    one for one in ENDPOINTS if not one.values[3].is_public
])
def test_without_a_token_nothing_is_told(path, method, service, endpoint):
    url = re.sub(r"\{\w+\}", SAMPLE, path)
    headers = {"x-roles": "admin", "x-project-id": SAMPLE, "x-identity-status": "Confirmed"}
    if service.microversions:
        versions = service.microversions
        headers["openstack-api-version"] = f"{versions.service} {endpoint.since or versions.minimum}"
    answer = Client().generic(method, url, headers=headers)
    assert answer.status_code == 401, answer.content
    assert "Keystone uri=" in answer.headers["WWW-Authenticate"]
