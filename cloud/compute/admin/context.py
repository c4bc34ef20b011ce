"""A person at the admin UI, as the services know who asks."""

from django.http import HttpRequest

from cloud.core.context import RequestContext

_ROLES = frozenset({"admin", "manager", "member", "reader"})


def context_of(request: HttpRequest) -> RequestContext:
    """Return the context of a request: an administrator of no project, under the request's own id."""
    user = request.user
    return RequestContext(
        request_id=request.id,  # type: ignore[attr-defined]
        user_id=str(user.pk),
        user_name=user.name,  # type: ignore[union-attr]
        user_domain_id=user.domain_id,  # type: ignore[union-attr]
        is_system=True,
        roles=_ROLES,
        methods=("admin-ui",),
    )
