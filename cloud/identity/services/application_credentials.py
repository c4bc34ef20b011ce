"""Application credentials: secrets that stand for their user in one project, with some of the user's roles."""

import secrets
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from cloud.core.context import RequestContext
from cloud.core.errors import Invalid
from cloud.core.times import read_time
from cloud.identity.errors import ActionForbidden, NoSuch
from cloud.identity.models import ApplicationCredential
from cloud.identity.passwords import hashed
from cloud.identity.selectors.roles import RoleRow
from cloud.identity.services import revocations
from cloud.identity.services.contexts import resolve
from cloud.identity.services.storing import text, unique_name


class Created(NamedTuple):
    """A new credential, and its secret, which is shown this once."""

    credential: ApplicationCredential
    secret: str


def create_application_credential(context: RequestContext, fields: dict[str, Any]) -> Created:
    """Make a credential for the caller, in the token's project, with no role that the token lacks.

    Raises:
        Invalid: no project, a role that the token lacks, a time in the past. ActionForbidden: the token is of a
        restricted credential. Duplicate: the name is taken.
    """
    need_unrestricted(context)
    if not context.project_id:
        raise Invalid("An application credential needs a token that is scoped to a project.")
    chosen = _roles(context, fields.get("roles") or [])
    secret = fields.get("secret") or secrets.token_urlsafe(64)
    row = ApplicationCredential(
        name=fields["name"],
        user_id=context.user_id,
        project_id=context.project_id,
        description=text(fields.get("description")),
        expires_at=_expiry(fields.get("expires_at")),
        unrestricted=fields.get("unrestricted") or False,
        secret_hash=hashed(secret),
    )
    with unique_name("application credential", row), transaction.atomic():
        row.save(force_insert=True)
        row.roles.set([role.id for role in chosen])
    return Created(row, secret)


def delete_application_credential(context: RequestContext, user_id: str, credential_id: str) -> None:
    """Remove a credential; its tokens end. Raises NoSuch, ActionForbidden."""
    need_unrestricted(context)
    with transaction.atomic():
        if not ApplicationCredential.objects.filter(user_id=user_id, pk=credential_id).delete()[0]:
            raise NoSuch(kind="Application Credential", id=credential_id[:64])
        revocations.bump()


def need_unrestricted(context: RequestContext) -> None:
    """Keep a restricted credential from making or removing credentials. Raises ActionForbidden."""
    if context.is_restricted:
        raise ActionForbidden(action="manage application credentials with a restricted application credential")


def _roles(context: RequestContext, wanted: list[dict[str, str]]) -> list[RoleRow]:
    """Return the roles asked for, all of the token's where none is; read now, not from the context's cache."""
    found = resolve(context.token)
    held = found[1].roles if found else frozenset()
    if not wanted:
        return sorted(held)
    chosen = {role for role in held if any(_is(role, one) for one in wanted)}
    lacking = [one for one in wanted if not any(_is(role, one) for role in chosen)]
    if lacking or not chosen:
        names = ", ".join(str(one.get("id") or one.get("name"))[:64] for one in lacking)
        raise Invalid(f"You do not have these roles in the project of your token: {names}.")
    return sorted(chosen)


def _is(role: RoleRow, wanted: dict[str, str]) -> bool:
    return wanted["id"] == role.id if "id" in wanted else wanted["name"] == role.name


def _expiry(given: str | None) -> datetime | None:
    if given is None:
        return None
    moment = read_time(given)
    if moment <= timezone.now():
        raise Invalid("expires_at must be a time in the future.")
    return moment
