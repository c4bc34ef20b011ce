"""Routes of our own API, below a version that is ours."""

from django.urls import URLPattern, URLResolver, include, path

from cloud.compute.api.novella import dry_runs, guest_passwords, placement_reports
from cloud.compute.api.novella.service import SERVICE
from cloud.core.http import patterns, unknown_path

ROUTES = [*placement_reports.ROUTES, *dry_runs.ROUTES, *guest_passwords.ROUTES]
urlpatterns: list[URLPattern | URLResolver] = [path("/v1", include(patterns(SERVICE, ROUTES))), unknown_path(SERVICE)]
