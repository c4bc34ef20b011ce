"""Routes of the identity API."""

from django.urls import URLPattern

from cloud.core.http import patterns, unknown_path
from cloud.identity.api import (
    application_credentials,
    assignments,
    catalog,
    domains,
    own_things,
    projects,
    roles,
    tokens,
    users,
    versions,
)
from cloud.identity.api.service import SERVICE

_ROOMS = (
    versions, tokens, own_things, users, application_credentials, projects, domains, roles, assignments, catalog
)  # fmt: skip
ROUTES = [row for room in _ROOMS for row in room.ROUTES]

urlpatterns: list[URLPattern] = [*patterns(SERVICE, ROUTES), unknown_path(SERVICE)]
