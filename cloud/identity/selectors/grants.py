"""What a token stands for at this moment: a user, a scope and the roles, read from the database each time.

Nothing of it is trusted from the token: a disabled user, project or domain, a lost role and a deleted application
credential make the grant vanish.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from cloud.identity.models import ApplicationCredential, Domain, Project, User
from cloud.identity.selectors import roles
from cloud.identity.selectors.roles import RoleRow

PROJECT, DOMAIN, SYSTEM, UNSCOPED = "project", "domain", "system", ""


@dataclass(frozen=True)
class Person:
    """A user who may use the cloud. `generation` counts what ended all older tokens of the user."""

    id: str
    name: str
    domain_id: str
    domain_name: str
    default_project_id: str
    generation: int


@dataclass(frozen=True)
class Scope:
    """What a token is good for. `domain_id` and `domain_name` are those of a project, else empty."""

    kind: str = UNSCOPED
    id: str = ""
    name: str = ""
    domain_id: str = ""
    domain_name: str = ""
    generation: int = 0


@dataclass(frozen=True)
class CredentialRow:
    """An application credential that may be used."""

    id: str
    name: str
    user_id: str
    project_id: str
    unrestricted: bool
    secret_hash: str
    expires_at: Any
    role_ids: frozenset[str]


@dataclass(frozen=True)
class Grant:
    """A user in a scope with roles there."""

    person: Person
    scope: Scope = Scope()
    roles: frozenset[RoleRow] = frozenset()
    credential: CredentialRow | None = None

    @property
    def generation(self) -> int:
        """Changes whenever the user's or the scope's older tokens end."""
        return self.person.generation + self.scope.generation


SYSTEM_SCOPE = Scope(SYSTEM)


def person(user_id: str) -> Person | None:
    """Return an enabled user of an enabled domain."""
    return _person(User.objects.filter(pk=user_id))


def project_scope(project_id: str) -> Scope | None:
    """Return an enabled project of an enabled domain."""
    return _project_scope(Project.objects.filter(pk=project_id))


def project_scope_by_name(name: str, domain: dict[str, str]) -> Scope | None:
    """Return an enabled project by its name and its domain's id or name."""
    return _project_scope(Project.objects.filter(name=name, **_of_domain(domain)))


def domain_scope(domain: dict[str, str]) -> Scope | None:
    """Return an enabled domain by id or name."""
    key = {"pk": domain["id"]} if "id" in domain else {"name": domain.get("name", "")}
    row = Domain.objects.filter(enabled=True, **key).first()
    return Scope(DOMAIN, row.id, row.name, generation=row.token_generation) if row else None


def user_row(user: dict[str, Any]) -> tuple[str, str, bool] | None:
    """Return (id, password hash, whether it may be used) of a user named by id, or by name and domain."""
    key = {"pk": user["id"]} if "id" in user else {"name": user["name"], **_of_domain(user.get("domain", {}))}
    row = User.objects.filter(**key).values_list("id", "password", "enabled", "domain__enabled").first()
    return (row[0], row[1], row[2] and row[3]) if row else None


def credential(**key: str) -> CredentialRow | None:
    """Return an application credential that has not expired, by id, or by user_id and name."""
    row = ApplicationCredential.objects.filter(**key).prefetch_related("roles").first()
    if row is None or (row.expires_at and row.expires_at <= timezone.now()):
        return None
    return CredentialRow(
        row.id, row.name, row.user_id, row.project_id, row.unrestricted, row.secret_hash, row.expires_at,
        frozenset(role.id for role in row.roles.all()),
    )


def grant(who: Person, scope: Scope, used: CredentialRow | None = None) -> Grant | None:
    """Return what a user may do in a scope; None where that is nothing."""
    held = _roles(who.id, scope)
    if used is not None:
        held = held & roles.expand(role for role in held if role.id in used.role_ids)
    if scope.kind != UNSCOPED and not held:
        return None
    return Grant(who, scope, held, used)


def scope_of(kind: str, id: str) -> Scope | None:
    """Return a scope by kind and id, if it may be used."""
    if kind == PROJECT:
        return project_scope(id)
    if kind == DOMAIN:
        return domain_scope({"id": id})
    return SYSTEM_SCOPE if kind == SYSTEM else Scope()


def _roles(user_id: str, scope: Scope) -> frozenset[RoleRow]:
    if scope.kind == PROJECT:
        return roles.on_project(user_id, scope.id)
    if scope.kind == DOMAIN:
        return roles.on_domain(user_id, scope.id)
    return roles.on_system(user_id) if scope.kind == SYSTEM else frozenset()


def _of_domain(domain: dict[str, str]) -> dict[str, str]:
    return {"domain_id": domain["id"]} if "id" in domain else {"domain__name": domain.get("name", "")}


def _person(rows: "QuerySet[User]") -> Person | None:
    row = (
        rows.filter(enabled=True, domain__enabled=True)
        .values_list(
            "id", "name", "domain_id", "domain__name", "default_project_id",
            F("token_generation") + F("domain__token_generation"),
        )
        .first()
    )  # fmt: skip
    return Person(*row) if row else None


def _project_scope(rows: "QuerySet[Project]") -> Scope | None:
    row = (
        rows.filter(enabled=True, domain__enabled=True)
        .values_list(
            "id", "name", "domain_id", "domain__name", F("token_generation") + F("domain__token_generation")
        )
        .first()
    )
    return Scope(PROJECT, *row) if row else None
