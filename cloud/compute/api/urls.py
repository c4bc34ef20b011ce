"""Routes of the compute API.

The tables of the rooms hold paths below the version, e.g. `/flavors/<str:flavor_id>`. Each is served twice, below
`/v2.1` and below `/v2.1/<project id>`; the project id must be the token's.
"""

from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter

from cloud.compute.api import (
    aggregates,
    availability_zones,
    extensions,
    flavor_access,
    flavor_extra_specs,
    flavors,
    floating_ip_proxies,
    gone,
    hosts,
    hypervisors,
    images,
    keypairs,
    limits,
    network_proxies,
    quota_class_sets,
    quota_sets,
    security_group_proxies,
    server_groups,
    server_interfaces,
    server_migrations,
    server_password,
    services,
    tenant_usage,
    versions,
)
from cloud.compute.api.server_routes import SERVER_ROUTES
from cloud.compute.api.service import SERVICE, UNVERSIONED
from cloud.core.endpoints import Route
from cloud.core.http import patterns, unknown_path

_ROOMS = (
    aggregates,
    availability_zones,
    extensions,
    flavor_access,
    flavor_extra_specs,
    flavors,
    floating_ip_proxies,
    gone,
    hosts,
    hypervisors,
    images,
    keypairs,
    limits,
    network_proxies,
    quota_class_sets,
    quota_sets,
    security_group_proxies,
    server_groups,
    server_interfaces,
    server_migrations,
    server_password,
    services,
    tenant_usage,
    versions,
)
ROUTES: list[Route] = [*SERVER_ROUTES, *(route for room in _ROOMS for route in room.ROUTES)]


class _ProjectId:
    """A project's id in a URL. The dashed form of a uuid passes too."""

    regex = "[0-9a-f-]+"

    @staticmethod
    def to_python(value: str) -> str:
        return value

    @staticmethod
    def to_url(value: str) -> str:
        return value


register_converter(_ProjectId, "compute_project")

_routes = patterns(SERVICE, ROUTES)
_unknown = unknown_path(SERVICE)
urlpatterns: list[URLPattern | URLResolver] = [
    path("/v2.1", include(_routes)),
    path("/v2.1/<compute_project:url_project_id>", include(_routes)),
    *patterns(SERVICE, versions.VERSIONED_ROUTES),
    *patterns(UNVERSIONED, versions.UNVERSIONED_ROUTES),
    re_path(r"^/v2(?:\.1)?/.*$", _unknown.callback),
    *patterns(UNVERSIONED, [versions.CHOICES_ROUTE]),
    _unknown,
]
