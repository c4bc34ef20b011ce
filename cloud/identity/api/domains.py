"""/v3/domains."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import PolicyNotAuthorized
from cloud.identity.api.collections import View, collection, self_links
from cloud.identity.api.policies import reads_all
from cloud.identity.api.schemas import CREATE_DOMAIN, UPDATE_DOMAIN, listing
from cloud.identity.models import Domain
from cloud.identity.selectors import people
from cloud.identity.services import domains


def view(request: ApiRequest, domain: Domain) -> View:
    """Render a domain."""
    return {
        "options": {},
        **domain.extra,
        "id": domain.id,
        "name": domain.name,
        "description": domain.description,
        "enabled": domain.enabled,
        "tags": domain.tags,
        "links": self_links(request, "domains", domain.id),
    }


@endpoint("identity:list_domains", query=listing("name", "enabled"))
def index(request: ApiRequest) -> View:
    """200: domains by name and enabled."""
    page = people.domains(request.query)
    return collection(request, "domains", (view(request, row) for row in page.rows), page.next_marker)


@endpoint("identity:create_domain", status=201, body=CREATE_DOMAIN)
def create(request: ApiRequest) -> View:
    """201, or 409 where the name is taken."""
    return {"domain": view(request, domains.create_domain(request.body["domain"]))}


@endpoint("identity:get_domain")
def show(request: ApiRequest, domain_id: str) -> View:
    """200 for the caller's own domain, and for those who may list domains."""
    context = request.context
    own = (context.domain_id, context.project_domain_id, context.user_domain_id)
    if not reads_all(context) and domain_id not in own:
        raise PolicyNotAuthorized(policy="identity:get_domain")
    return {"domain": view(request, people.domain(domain_id))}


@endpoint("identity:update_domain", body=UPDATE_DOMAIN)
def update(request: ApiRequest, domain_id: str) -> View:
    """200. `enabled: false` ends the tokens of the domain's users and projects."""
    return {"domain": view(request, domains.update_domain(domain_id, request.body["domain"]))}


@endpoint("identity:delete_domain", status=204)
def delete(request: ApiRequest, domain_id: str) -> None:
    """204, or 403 while the domain is enabled."""
    domains.delete_domain(domain_id)


ROUTES = [
    route("/v3/domains", GET=index, POST=create),
    route("/v3/domains/<str:domain_id>", GET=show, HEAD=show, PATCH=update, DELETE=delete),
]
