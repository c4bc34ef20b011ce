"""Who has which role where: grants on projects, domains and the system, and /v3/role_assignments."""

from typing import Any

from cloud.core.endpoints import ApiRequest, Endpoint, Route, endpoint, route
from cloud.identity.api.collections import View, collection, link
from cloud.identity.api.roles import view as role_view
from cloud.identity.api.schemas import listing
from cloud.identity.errors import AssignmentNotFound
from cloud.identity.selectors import assignments as find
from cloud.identity.selectors import people, roles
from cloud.identity.selectors.assignments import AssignmentRow, Target
from cloud.identity.selectors.pages import is_true
from cloud.identity.services import assignments

_LISTING = listing(
    "user.id", "group.id", "role.id", "scope.project.id", "scope.domain.id", "scope.system", "effective",
    "include_names", "include_subtree",
)  # fmt: skip


def _endpoints(kind: str, suffix: str) -> dict[str, Endpoint]:
    """Return the endpoints of grants in one kind of place; the path names it, except for the system."""

    def target(target_id: str = "") -> Target:
        return Target(kind, target_id)

    @endpoint(f"identity:list_{suffix.format('grants')}")
    def index(request: ApiRequest, user_id: str, **where: str) -> View:
        """200: the roles that the user was given there."""
        assignments.check_target(target(**where))
        people.user(user_id)
        found = find.granted(target(**where), user_id)
        return collection(request, "roles", (role_view(request, role) for role in found))

    @endpoint(f"identity:create_{suffix.format('grant')}", status=204)
    def grant(request: ApiRequest, user_id: str, role_id: str, **where: str) -> None:
        """204, also where the user has the role."""
        assignments.grant(target(**where), user_id, role_id)

    @endpoint(f"identity:check_{suffix.format('grant')}", status=204)
    def check(request: ApiRequest, user_id: str, role_id: str, **where: str) -> None:
        """204 where the user was given the role there, else 404."""
        assignments.check_target(target(**where))
        people.user(user_id)
        roles.role(role_id)
        if not find.is_granted(target(**where), user_id, role_id):
            raise AssignmentNotFound(role_id=role_id, user_id=user_id, target=where.get("target_id", kind))

    @endpoint(f"identity:revoke_{suffix.format('grant')}", status=204)
    def revoke(request: ApiRequest, user_id: str, role_id: str, **where: str) -> None:
        """204."""
        assignments.revoke(target(**where), user_id, role_id)

    return {"index": index, "grant": grant, "check": check, "revoke": revoke}


def _routes(path: str, kind: str, suffix: str = "{}") -> list[Route]:
    found = _endpoints(kind, suffix)
    return [
        route(f"{path}/users/<str:user_id>/roles", GET=found["index"], HEAD=found["index"]),
        route(
            f"{path}/users/<str:user_id>/roles/<str:role_id>",
            PUT=found["grant"], GET=found["check"], HEAD=found["check"], DELETE=found["revoke"],
        ),
    ]  # fmt: skip


@endpoint("identity:list_role_assignments", query=_LISTING)
def listed(request: ApiRequest) -> View:
    """200: assignments by user, role and scope; with `effective` the implied ones too."""
    with_names = "include_names" in request.query and is_true(request.query["include_names"])
    rows = find.listed(request.query)
    return collection(request, "role_assignments", (_view(request, row, with_names=with_names) for row in rows))


def _view(request: ApiRequest, row: AssignmentRow, *, with_names: bool) -> View:
    role: dict[str, Any] = {"id": row.role.id}
    user: dict[str, Any] = {"id": row.user_id}
    target: dict[str, Any] = {"id": row.target_id}
    if with_names:
        role["name"] = row.role.name
        user |= {"name": row.user_name, "domain": {"id": row.user_domain_id, "name": row.user_domain_name}}
        target["name"] = row.target_name
        if row.kind == "project":
            target["domain"] = {"id": row.target_domain_id, "name": row.target_domain_name}
    place = ("system",) if row.kind == "system" else (f"{row.kind}s", row.target_id)
    assigned = row.prior_role_id or row.role.id
    links = {"assignment": link(request, *place, "users", row.user_id, "roles", assigned)}
    if row.prior_role_id:
        links["prior_role"] = link(request, "roles", row.prior_role_id)
    scope = {"system": {"all": True}} if row.kind == "system" else {row.kind: target}
    return {"role": role, "user": user, "scope": scope, "links": links}


ROUTES = [
    *_routes("/v3/projects/<str:target_id>", "project"),
    *_routes("/v3/domains/<str:target_id>", "domain"),
    *_routes("/v3/system", "system", "system_{}_for_user"),
    route("/v3/role_assignments", GET=listed, HEAD=listed),
]
