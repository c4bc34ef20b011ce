"""Making, changing and removing roles, and what they imply."""

from typing import Any

from django.db import transaction

from cloud.identity.errors import ActionForbidden, FieldIsImmutable, NoSuch, RoleIsImmutable
from cloud.identity.models import Role, RoleInference
from cloud.identity.selectors import people
from cloud.identity.selectors import roles as find
from cloud.identity.services import revocations
from cloud.identity.services.storing import text, unique_name

ADMIN = "admin"


def create_role(fields: dict[str, Any]) -> Role:
    """Make a role, of a domain if one is named. Raises NoSuch, Duplicate."""
    domain_id = fields.get("domain_id")
    role = Role(
        name=fields["name"],
        description=text(fields.get("description")),
        options=fields.get("options", {}),
        domain=people.domain(domain_id) if domain_id else None,
    )
    with unique_name("role", role):
        role.save(force_insert=True)
    return role


def update_role(role_id: str, fields: dict[str, Any]) -> Role:
    """Change a role.

    Raises:
        NoSuch, Duplicate, FieldIsImmutable. RoleIsImmutable: its option says so; the option itself may be changed.
    """
    with transaction.atomic():
        role = find.role(role_id)
        if fields.get("domain_id", role.domain_id) != role.domain_id:
            raise FieldIsImmutable(field="domain_id", kind="role")
        if fields.keys() & {"name", "description"}:
            _need_mutable(role)
        role.name = fields.get("name", role.name)
        role.description = text(fields.get("description", role.description))
        role.options = {**role.options, **fields.get("options", {})}
        with unique_name("role", role):
            role.save()
        revocations.bump()
    return role


def delete_role(role_id: str) -> None:
    """Remove a role; nobody has it any more. Raises NoSuch, RoleIsImmutable."""
    with transaction.atomic():
        role = find.role(role_id)
        _need_mutable(role)
        role.delete()
        revocations.bump()


def imply(prior_id: str, implied_id: str) -> RoleInference:
    """Let a role imply another. That it does already is a success.

    Raises:
        NoSuch. ActionForbidden: nothing may imply admin, nor itself, nor a global role the role of one domain.
    """
    prior, implied = find.role(prior_id), find.role(implied_id)
    if implied.name == ADMIN or prior.id == implied.id or (implied.domain_id and not prior.domain_id):
        raise ActionForbidden(action=f"let the role {prior.name} imply the role {implied.name}")
    with transaction.atomic():
        rule, _ = RoleInference.objects.get_or_create(prior=prior, implied=implied)
        revocations.bump()
    return rule


def forget_implication(prior_id: str, implied_id: str) -> None:
    """Let a role no longer imply another. Raises NoSuch."""
    with transaction.atomic():
        if not RoleInference.objects.filter(prior_id=prior_id, implied_id=implied_id).delete()[0]:
            raise NoSuch(kind="role inference", id=f"{prior_id[:64]} implies {implied_id[:64]}")
        revocations.bump()


def _need_mutable(role: Role) -> None:
    if role.options.get("immutable"):
        raise RoleIsImmutable(id=role.id)
