"""Giving roles to users, and taking them away."""

from django.db import transaction

from cloud.identity.errors import ActionForbidden, AssignmentNotFound
from cloud.identity.models import RoleAssignment
from cloud.identity.selectors import people, roles
from cloud.identity.selectors.assignments import Target
from cloud.identity.services import revocations


def grant(target: Target, user_id: str, role_id: str) -> None:
    """Give a user a role in a place; that they have it already is a success.

    Raises:
        NoSuch. ActionForbidden: the role is of another domain.
    """
    with transaction.atomic():
        home = check_target(target)
        people.user(user_id)
        role = roles.role(role_id)
        if role.domain_id and role.domain_id != home:
            raise ActionForbidden(action="assign a role of another domain")
        RoleAssignment.objects.get_or_create(user_id=user_id, role=role, is_inherited=False, **target.columns)
        revocations.bump()


def revoke(target: Target, user_id: str, role_id: str) -> None:
    """Take a role from a user. Raises NoSuch, AssignmentNotFound."""
    with transaction.atomic():
        check_target(target)
        rows = RoleAssignment.objects.filter(user_id=user_id, role_id=role_id, is_inherited=False, **target.columns)
        if not rows.delete()[0]:
            where = (target.id or target.kind)[:64]
            raise AssignmentNotFound(role_id=role_id[:64], user_id=user_id[:64], target=where)
        revocations.bump()


def check_target(target: Target) -> str:
    """Return the domain of a place, empty for the system's. Raises NoSuch where there is no such place."""
    if target.kind == "project":
        return people.project(target.id).domain_id
    return people.domain(target.id).id if target.kind == "domain" else ""
