"""Projects, users and tokens for tests: the real thing, without the API's round trips."""

from functools import cache
from uuid import uuid4

from django.contrib.auth.hashers import make_password

from cloud.identity.models import Project, Role, RoleAssignment, User
from cloud.identity.services.foundation import lay_foundation
from cloud.identity.services.issue_token import issue_token

PASSWORD = "correct horse"


@cache
def _hash() -> str:
    return make_password(PASSWORD)


def create_project(name: str = "", **fields) -> Project:
    """Return a new project of the default domain."""
    lay_foundation()
    return Project.objects.create(name=name or f"project-{uuid4().hex[:8]}", domain_id="default", **fields)


def create_user(name: str = "", **fields) -> User:
    """Return a new user of the default domain whose password is PASSWORD."""
    lay_foundation()
    fields.setdefault("domain_id", "default")
    return User.objects.create(name=name or f"user-{uuid4().hex[:8]}", password=_hash(), **fields)


def assign(user: User, role: str, project: Project | None = None, **where) -> RoleAssignment:
    """Give a user a role in a project, or in `domain=...`, or with `is_system=True`."""
    return RoleAssignment.objects.create(user=user, role=Role.objects.get(name=role), project=project, **where)


def token_for(user: User, project: Project | None = None, **scope) -> str:
    """Return a token of a user for a project, or for another scope, e.g. `system={"all": True}`."""
    identity = {"methods": ["password"], "password": {"user": {"id": user.id, "password": PASSWORD}}}
    asked = {"project": {"id": project.id}} if project else (scope or "unscoped")
    return issue_token({"identity": identity, "scope": asked}).token


def create_token(role: str = "member", project: Project | None = None) -> str:
    """Return the token of a new user with a role in a project, a new one if none is given."""
    project = project or create_project()
    user = create_user()
    assign(user, role, project)
    return token_for(user, project)
