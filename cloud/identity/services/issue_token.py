"""A token for who has proven who they are, for the scope that they ask for and have roles in."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from cloud.core.errors import Invalid
from cloud.identity.errors import AuthenticationFailed
from cloud.identity.selectors import grants
from cloud.identity.selectors.grants import Grant, Scope
from cloud.identity.services.authentication import Proof, prove
from cloud.identity.services.tokens import Claims, microseconds, new_audit_id, seal


class Issued(NamedTuple):
    """A new token, what it says and what it is worth."""

    token: str
    claims: Claims
    grant: Grant


def issue_token(auth: dict[str, Any]) -> Issued:
    """Answer `auth` of POST /v3/auth/tokens.

    Raises:
        Invalid, AuthenticationFailed, TokenNotFound
    """
    proof = prove(auth["identity"])
    grant = _granted(proof, auth.get("scope"))
    now = timezone.now()
    expires = now + timedelta(seconds=settings.TOKEN_LIFETIME_SECONDS)
    own_audit_id = new_audit_id()
    claims = Claims(
        user_id=grant.person.id,
        methods=proof.methods,
        scope_kind=grant.scope.kind,
        scope_id=grant.scope.id,
        generation=grant.generation,
        issued=microseconds(now),
        expires=microseconds(min(expires, proof.expires_at) if proof.expires_at else expires),
        audit_ids=(own_audit_id, proof.audit_id) if proof.audit_id else (own_audit_id,),
        credential_id=proof.credential.id if proof.credential else "",
    )
    return Issued(seal(claims), claims, grant)


def _granted(proof: Proof, asked: Any) -> Grant:
    if proof.credential is not None:
        # An application credential is of one project, and may not ask for another scope.
        scope = None if asked else grants.project_scope(proof.credential.project_id)
    elif asked is None:
        return _default(proof)
    else:
        scope = _asked_scope(asked)
    grant = grants.grant(proof.person, scope, proof.credential) if scope else None
    if grant is None:
        raise AuthenticationFailed
    return grant


def _default(proof: Proof) -> Grant:
    """Return the grant of the user's default project, or an unscoped one where that gives nothing."""
    default = proof.person.default_project_id
    scope = grants.project_scope(default) if default else None
    granted = grants.grant(proof.person, scope) if scope else None
    return granted or Grant(proof.person)


def _asked_scope(asked: Any) -> Scope | None:
    if asked == "unscoped" or "unscoped" in asked:
        return Scope()
    if len(asked) != 1:
        raise Invalid("Expecting exactly one of project, domain, system and unscoped in scope.")
    [(kind, where)] = asked.items()
    if kind == "project":
        return _project(where)
    return grants.domain_scope(where) if kind == "domain" else grants.SYSTEM_SCOPE


def _project(where: dict[str, Any]) -> Scope | None:
    if "id" in where:
        return grants.project_scope(where["id"])
    if not where.get("domain"):
        raise Invalid("Expecting to find domain in project. The server could not comply with the request.")
    return grants.project_scope_by_name(where["name"], where["domain"])
