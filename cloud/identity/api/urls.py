"""Routes of the identity API."""

from django.urls import URLPattern

from cloud.core.http import patterns, unknown_path
from cloud.identity.api import tokens, versions
from cloud.identity.api.service import SERVICE

ROUTES = [*versions.ROUTES, *tokens.ROUTES]

urlpatterns: list[URLPattern] = [*patterns(SERVICE, ROUTES), unknown_path(SERVICE)]
