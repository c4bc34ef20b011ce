"""The accounts that a new installation begins with: an administrator, and somebody to try things out with."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from cloud.identity.models import Project, Role, RoleAssignment, User
from cloud.identity.passwords import hashed, matches
from cloud.identity.services import revocations
from cloud.identity.services.foundation import DEFAULT_DOMAIN, lay_foundation

PROJECTS = ("admin", "demo", "service")


@dataclass(frozen=True)
class Account:
    """A user with a role in the project of the same name, known in `clouds.yaml` as `cloud`."""

    name: str
    role: str
    cloud: str
    is_administrator: bool = False


ACCOUNTS = (Account("demo", "member", "novella"), Account("admin", "admin", "novella-admin", is_administrator=True))


@dataclass
class Outcome:
    """What was done, in sentences; and the accounts whose given password is not the one in force."""

    done: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def make_first_accounts(given: dict[str, str], kept: set[str]) -> Outcome:
    """Make what is missing of the foundation, the projects and the accounts.

    Args:
        given: password by account name: for a new user, and for one whose password nobody knows.
        kept: names of the accounts whose given password is what was given the last time; an existing user's password
            is then left alone, even if somebody has changed it since.
    """
    outcome = Outcome()
    with transaction.atomic():
        roles = lay_foundation()
        projects = {name: _project(name, outcome) for name in PROJECTS}
        for account in ACCOUNTS:
            user = _user(account, projects[account.name], outcome, given, kept)
            _assign(user, roles[account.role], outcome, project=projects[account.name])
            if account.is_administrator:
                _assign(user, roles[account.role], outcome, is_system=True)
        if outcome.done:
            revocations.bump()
    return outcome


def _project(name: str, outcome: Outcome) -> Project:
    project, is_new = Project.objects.get_or_create(name=name, domain_id=DEFAULT_DOMAIN)
    if is_new:
        outcome.done.append(f"made the project {name}")
    return project


def _user(account: Account, project: Project, outcome: Outcome, given: dict[str, str], kept: set[str]) -> User:
    password = given[account.name]
    user = User.objects.filter(name=account.name, domain_id=DEFAULT_DOMAIN).first()
    if user is None:
        outcome.done.append(f"made the user {account.name}")
        return User.objects.create(
            name=account.name,
            domain_id=DEFAULT_DOMAIN,
            password=hashed(password),
            default_project_id=project.id,
            is_staff=account.is_administrator,
        )
    if account.name not in kept:
        user.password = hashed(password)
        user.token_generation += 1
        user.save(update_fields=["password", "token_generation"])
        outcome.done.append(f"gave the user {account.name} a new password")
    elif not matches(password, user.password):
        outcome.strangers.append(account.name)
    return user


def _assign(user: User, role: Role, outcome: Outcome, **where: Any) -> None:
    _, is_new = RoleAssignment.objects.get_or_create(user=user, role=role, **where)
    if is_new:
        outcome.done.append(f"made the user {user.name} {role.name} in {where.get('project', 'the system')}")
