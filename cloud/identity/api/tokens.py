"""/v3/auth/tokens: issue, validate, revoke."""

from typing import Any

from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.core.http import host_of
from cloud.core.times import micros_z
from cloud.identity.api.ownership import need_self_or_admin
from cloud.identity.api.policies import reads_all
from cloud.identity.api.token_schemas import ISSUE
from cloud.identity.catalog import catalog
from cloud.identity.errors import TokenNotFound
from cloud.identity.selectors import grants
from cloud.identity.selectors.grants import Grant
from cloud.identity.services import revocations
from cloud.identity.services.contexts import resolve
from cloud.identity.services.issue_token import issue_token
from cloud.identity.services.tokens import Claims


@endpoint("", status=201, body=ISSUE)
def issue(request: ApiRequest) -> Reply:
    """201 with the token in X-Subject-Token; 401 whatever was wrong."""
    token, claims, grant = issue_token(request.body["auth"])
    return Reply({"token": _view(request, claims, grant)}, headers=_headers(token))


@endpoint("identity:validate_token")
def validate(request: ApiRequest) -> Reply:
    """200 with what the token in X-Subject-Token is worth; 404 where it is not valid."""
    token, claims, grant = _subject(request, "identity:validate_token")
    return Reply({"token": _view(request, claims, grant)}, headers=_headers(token))


@endpoint("identity:validate_token")
def check(request: ApiRequest) -> Reply:
    """200 without a body where the token in X-Subject-Token is valid, else 404."""
    token, _, _ = _subject(request, "identity:validate_token")
    return Reply(headers=_headers(token))


@endpoint("identity:revoke_token", status=204)
def revoke(request: ApiRequest) -> None:
    """204: the token in X-Subject-Token is refused from now on."""
    _, claims, _ = _subject(request, "identity:revoke_token")
    revocations.revoke(claims.audit_ids[0], claims.expires_at)


def _subject(request: ApiRequest, policy: str) -> tuple[str, Claims, Grant]:
    token = request.django.META.get("HTTP_X_SUBJECT_TOKEN", "")
    found = resolve(token)
    if found is None:
        raise TokenNotFound
    sees_all = reads_all(request.context) or "service" in request.context.roles
    if not (sees_all and policy == "identity:validate_token"):
        need_self_or_admin(request.context, found[0].user_id, policy)
    return token, *found


def _headers(token: str) -> dict[str, str]:
    return {"X-Subject-Token": token, "Vary": "X-Auth-Token", "Cache-Control": "no-store"}


def _view(request: ApiRequest, claims: Claims, grant: Grant) -> dict[str, Any]:
    person = grant.person
    view: dict[str, Any] = {
        "methods": list(claims.methods),
        "user": {
            "id": person.id,
            "name": person.name,
            "domain": {"id": person.domain_id, "name": person.domain_name},
            "password_expires_at": None,
        },
        "audit_ids": list(claims.audit_ids),
        "expires_at": micros_z(claims.expires_at),
        "issued_at": micros_z(claims.issued_at),
    }
    if grant.scope.kind != grants.UNSCOPED:
        view |= _SCOPE_VIEWS[grant.scope.kind](grant)
        view["roles"] = [{"id": role.id, "name": role.name} for role in sorted(grant.roles)]
        if "nocatalog" not in request.query:
            view["catalog"] = catalog(host_of(request.url))
    if grant.credential is not None:
        view["application_credential"] = {
            "id": grant.credential.id,
            "name": grant.credential.name,
            "restricted": not grant.credential.unrestricted,
        }
    return view


def _project_view(grant: Grant) -> dict[str, Any]:
    scope = grant.scope
    domain = {"id": scope.domain_id, "name": scope.domain_name}
    return {"project": {"id": scope.id, "name": scope.name, "domain": domain}, "is_domain": False}


_SCOPE_VIEWS = {
    grants.PROJECT: _project_view,
    grants.DOMAIN: lambda grant: {"domain": {"id": grant.scope.id, "name": grant.scope.name}},
    grants.SYSTEM: lambda grant: {"system": {"all": True}},
}
ROUTES = [route("/v3/auth/tokens", POST=issue, GET=validate, HEAD=check, DELETE=revoke)]
