"""/v3/roles and what they imply."""

from collections.abc import Iterable
from itertools import groupby

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.identity.api.collections import View, collection, self_links
from cloud.identity.api.schemas import CREATE_ROLE, UPDATE_ROLE, listing
from cloud.identity.errors import NoSuch
from cloud.identity.models import Role, RoleInference
from cloud.identity.selectors import roles as find
from cloud.identity.services import roles


def view(request: ApiRequest, role: Role) -> View:
    """Render a role."""
    return {
        "id": role.id,
        "name": role.name,
        "domain_id": role.domain_id,
        "description": role.description or None,
        "options": role.options,
        "links": self_links(request, "roles", role.id),
    }


@endpoint("identity:list_roles", query=listing("name", "domain_id"))
def index(request: ApiRequest) -> View:
    """200: roles by name and domain_id; without the latter, those of no domain."""
    page = find.page(request.query)
    return collection(request, "roles", (view(request, row) for row in page.rows), page.next_marker)


@endpoint("identity:create_role", status=201, body=CREATE_ROLE)
def create(request: ApiRequest) -> View:
    """201, or 409 where the name is taken."""
    return {"role": view(request, roles.create_role(request.body["role"]))}


@endpoint("identity:get_role")
def show(request: ApiRequest, role_id: str) -> View:
    """200."""
    return {"role": view(request, find.role(role_id))}


@endpoint("identity:update_role", body=UPDATE_ROLE)
def update(request: ApiRequest, role_id: str) -> View:
    """200, or 403 while the role is immutable."""
    return {"role": view(request, roles.update_role(role_id, request.body["role"]))}


@endpoint("identity:delete_role", status=204)
def delete(request: ApiRequest, role_id: str) -> None:
    """204, or 403 while the role is immutable."""
    roles.delete_role(role_id)


@endpoint("identity:list_implied_roles")
def list_implied(request: ApiRequest, prior_id: str) -> View:
    """200: the roles that a role implies at first hand."""
    prior = find.role(prior_id)
    return {
        "role_inference": _inferences(request, prior, find.inferences(prior_id=prior_id)),
        "links": self_links(request, "roles", prior_id, "implies"),
    }


@endpoint("identity:create_implied_role", status=201)
def imply(request: ApiRequest, prior_id: str, implied_id: str) -> View:
    """201, also where the rule was there."""
    return _inference(request, roles.imply(prior_id, implied_id))


@endpoint("identity:get_implied_role")
def show_implied(request: ApiRequest, prior_id: str, implied_id: str) -> View:
    """200, or 404 where there is no such rule."""
    return _inference(request, _found(prior_id, implied_id))


@endpoint("identity:get_implied_role", status=204)
def check_implied(request: ApiRequest, prior_id: str, implied_id: str) -> None:
    """204, or 404 where there is no such rule."""
    _found(prior_id, implied_id)


@endpoint("identity:delete_implied_role", status=204)
def forget_implied(request: ApiRequest, prior_id: str, implied_id: str) -> None:
    """204."""
    roles.forget_implication(prior_id, implied_id)


@endpoint("identity:list_role_inference_rules")
def list_inferences(request: ApiRequest) -> View:
    """200: all rules, by the role that implies."""
    grouped = groupby(find.inferences(), key=lambda rule: rule.prior_id)
    views = []
    for _, rules in grouped:
        found = list(rules)
        views.append(_inferences(request, found[0].prior, found))
    return collection(request, "role_inferences", views)


def _found(prior_id: str, implied_id: str) -> RoleInference:
    found = find.inferences(prior_id=prior_id, implied_id=implied_id)
    if not found:
        raise NoSuch(kind="role inference", id=f"{prior_id[:64]} implies {implied_id[:64]}")
    return found[0]


def _inference(request: ApiRequest, rule: RoleInference) -> View:
    return {
        "role_inference": {"prior_role": view(request, rule.prior), "implies": view(request, rule.implied)},
        "links": self_links(request, "roles", rule.prior_id, "implies", rule.implied_id),
    }


def _inferences(request: ApiRequest, prior: Role, rules: Iterable[RoleInference]) -> View:
    return {"prior_role": view(request, prior), "implies": [view(request, rule.implied) for rule in rules]}


ROUTES = [
    route("/v3/roles", GET=index, POST=create),
    route("/v3/roles/<str:role_id>", GET=show, HEAD=show, PATCH=update, DELETE=delete),
    route("/v3/roles/<str:prior_id>/implies", GET=list_implied, HEAD=list_implied),
    route(
        "/v3/roles/<str:prior_id>/implies/<str:implied_id>",
        PUT=imply, GET=show_implied, HEAD=check_implied, DELETE=forget_implied,
    ),
    route("/v3/role_inferences", GET=list_inferences, HEAD=list_inferences),
]  # fmt: skip
