"""From a token to the context of a request, without a query where nothing has changed since the last time."""

import threading
from collections import OrderedDict
from dataclasses import replace

from django.utils import timezone

from cloud.core.context import RequestContext
from cloud.identity.models import Revocation
from cloud.identity.selectors import grants
from cloud.identity.selectors.grants import Grant
from cloud.identity.services import revocations
from cloud.identity.services.revocations import Stamp
from cloud.identity.services.tokens import Claims, unseal

_CAPACITY = 10_000


def authenticator(token: str, request_id: str) -> RequestContext | None:
    """Return what the bearer of a token may do at this moment, or None where the token is not valid (any more)."""
    stamp = revocations.stamp()
    context = _known.get(stamp, token)
    if context is None:
        found = resolve(token)
        if found is None:
            return None
        context = _context(token, *found)
        _known.put(stamp, token, context)
    return replace(context, request_id=request_id)


def resolve(token: str) -> tuple[Claims, Grant] | None:
    """Return a token's claims and what they are worth now, read from the database; None for an invalid token."""
    claims = unseal(token)
    if claims is None or Revocation.objects.filter(audit_id=claims.audit_ids[0]).exists():
        return None
    who, scope = grants.person(claims.user_id), grants.scope_of(claims.scope_kind, claims.scope_id)
    if who is None or scope is None:
        return None
    used = grants.credential(pk=claims.credential_id) if claims.credential_id else None
    if claims.credential_id and used is None:
        return None
    grant = grants.grant(who, scope, used)
    return (claims, grant) if grant and grant.generation == claims.generation else None


def _context(token: str, claims: Claims, grant: Grant) -> RequestContext:
    scope = grant.scope
    is_project = scope.kind == grants.PROJECT
    return RequestContext(
        request_id="",
        user_id=grant.person.id,
        user_name=grant.person.name,
        user_domain_id=grant.person.domain_id,
        project_id=scope.id if is_project else "",
        project_name=scope.name if is_project else "",
        project_domain_id=scope.domain_id,
        domain_id=scope.id if scope.kind == grants.DOMAIN else "",
        is_system=scope.kind == grants.SYSTEM,
        roles=frozenset(role.name for role in grant.roles),
        methods=claims.methods,
        expires_at=claims.expires_at,
        issued_at=claims.issued_at,
        audit_ids=claims.audit_ids,
        application_credential_id=claims.credential_id,
        is_restricted=grant.credential is not None and not grant.credential.unrestricted,
        token=token,
    )


class _Known:
    """The contexts of the tokens seen last, as long as the stamp stays the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._contexts: OrderedDict[str, RequestContext] = OrderedDict()

    def get(self, stamp: Stamp, token: str) -> RequestContext | None:
        """Return a context that is still good."""
        with self._lock:
            if stamp != self._stamp:
                self._contexts.clear()
                self._stamp = stamp
            context = self._contexts.get(token)
            if context is None:
                return None
            if context.expires_at is None or context.expires_at <= timezone.now():
                del self._contexts[token]
                return None
            self._contexts.move_to_end(token)
            return context

    def put(self, stamp: Stamp, token: str, context: RequestContext) -> None:
        """Keep a context, unless the stamp has changed since it was read."""
        with self._lock:
            if stamp == self._stamp:
                self._contexts[token] = context
                if len(self._contexts) > _CAPACITY:
                    self._contexts.popitem(last=False)


_known = _Known()
