"""/v3/auth/catalog, projects, domains, system: what the caller's token, or another of theirs, can reach."""

from typing import Any

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.http import host_of
from cloud.identity.api.collections import View, collection, self_links
from cloud.identity.api.domains import view as domain_view
from cloud.identity.api.projects import view as project_view
from cloud.identity.catalog import catalog
from cloud.identity.errors import ActionForbidden
from cloud.identity.selectors import people, roles


@endpoint("identity:get_auth_catalog")
def show_catalog(request: ApiRequest) -> View:
    """200; 403 for an unscoped token, for which there is no catalog."""
    context = request.context
    if not (context.project_id or context.domain_id or context.is_system):
        raise ActionForbidden(action="identity:get_auth_catalog with an unscoped token")
    return {"catalog": catalog(host_of(request.url)), "links": self_links(request, "auth", "catalog")}


@endpoint("identity:get_auth_projects")
def projects(request: ApiRequest) -> View:
    """200: the projects for which the caller can get a token."""
    page = people.projects_of(request.context.user_id, request.query)
    return collection(request, "projects", (project_view(request, row) for row in page.rows), page.next_marker)


@endpoint("identity:get_auth_domains")
def domains(request: ApiRequest) -> View:
    """200: the domains for which the caller can get a token."""
    page = people.domains_of(request.context.user_id, request.query)
    return collection(request, "domains", (domain_view(request, row) for row in page.rows), page.next_marker)


@endpoint("identity:get_auth_system")
def system(request: ApiRequest) -> View:
    """200: whether the caller can get a token for the system."""
    found: list[dict[str, Any]] = [{"all": True}] if roles.on_system(request.context.user_id) else []
    return collection(request, "system", found)


ROUTES = [
    route("/v3/auth/catalog", GET=show_catalog, HEAD=show_catalog),
    route("/v3/auth/projects", GET=projects, HEAD=projects),
    route("/v3/auth/domains", GET=domains, HEAD=domains),
    route("/v3/auth/system", GET=system, HEAD=system),
]
