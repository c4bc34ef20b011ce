"""Who has which role where, as lists."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q
from django.http import QueryDict

from cloud.core.errors import Invalid
from cloud.identity.models import Project, Role, RoleAssignment
from cloud.identity.selectors import roles
from cloud.identity.selectors.pages import is_true
from cloud.identity.selectors.roles import RoleRow


@dataclass(frozen=True)
class Target:
    """Where a role is held: in a project, in a domain, or in the system (which has no id)."""

    kind: str
    id: str = ""

    @property
    def columns(self) -> dict[str, Any]:
        """What an assignment's columns say of it."""
        return {"is_system": True} if self.kind == "system" else {f"{self.kind}_id": self.id}


@dataclass(frozen=True)
class AssignmentRow:
    """An assignment. `prior_role_id` is set where the role is only implied by the one that was assigned."""

    user_id: str
    user_name: str
    user_domain_id: str
    user_domain_name: str
    role: RoleRow
    kind: str
    target_id: str
    target_name: str
    target_domain_id: str
    target_domain_name: str
    prior_role_id: str = ""


_COLUMNS = {
    "user_id": F("user_id"), "user_name": F("user__name"), "user_domain_id": F("user__domain_id"),
    "user_domain_name": F("user__domain__name"), "role_id": F("role_id"), "role_name": F("role__name"),
    "role_domain_id": F("role__domain_id"), "is_system": F("is_system"),
    "project_id": F("project_id"), "project_name": F("project__name"),
    "project_domain_id": F("project__domain_id"), "project_domain_name": F("project__domain__name"),
    "domain_id": F("domain_id"), "domain_name": F("domain__name"),
}  # fmt: skip


def granted(target: Target, user_id: str) -> list[Role]:
    """Return the roles that a user was given in a place, without what they imply."""
    held = RoleAssignment.objects.filter(user_id=user_id, is_inherited=False, **target.columns)
    return list(Role.objects.filter(pk__in=held.values("role_id")).order_by("name"))


def is_granted(target: Target, user_id: str, role_id: str) -> bool:
    """Tell whether a user was given a role in a place."""
    rows = RoleAssignment.objects.filter(user_id=user_id, role_id=role_id, is_inherited=False, **target.columns)
    return rows.exists()


def listed(query: QueryDict) -> list[AssignmentRow]:
    """Return the assignments that a query of GET /v3/role_assignments asks for; two queries at most.

    Raises:
        Invalid: filters that exclude each other.
    """
    if "group.id" in query:
        if "user.id" in query:
            raise Invalid("Specify a user or group, not both")
        return []
    wanted = RoleAssignment.objects.filter(_place(query), is_inherited=False)
    if "user.id" in query:
        wanted = wanted.filter(user_id=query["user.id"])
    is_effective = "effective" in query and is_true(query["effective"])
    if "role.id" in query and not is_effective:
        wanted = wanted.filter(role_id=query["role.id"])
    rows = [_row(values) for values in wanted.order_by("id").values_list(*_COLUMNS.values(), named=False)]
    if not is_effective:
        return rows
    return [row for row in _effective(rows) if query.get("role.id", row.role.id) == row.role.id]


def _place(query: QueryDict) -> Q:
    places = [name for name in ("scope.project.id", "scope.domain.id", "scope.system") if name in query]
    if len(places) > 1:
        raise Invalid("Specify one of project, domain and system, not several")
    if "include_subtree" in query and is_true(query["include_subtree"]):
        if places != ["scope.project.id"]:
            raise Invalid("scope.project.id must be specified if include_subtree is also specified")
        return Q(project_id__in=_subtree(query["scope.project.id"]))
    if not places:
        return Q()
    if places == ["scope.system"]:
        return Q(is_system=True)
    column = "project_id" if places == ["scope.project.id"] else "domain_id"
    return Q(**{column: query[places[0]]})


def _subtree(project_id: str) -> set[str]:
    found, level = {project_id}, {project_id}
    while level:
        level = set(Project.objects.filter(parent_id__in=level).values_list("id", flat=True)) - found
        found |= level
    return found


def _row(values: tuple[Any, ...]) -> AssignmentRow:
    one = dict(zip(_COLUMNS, values, strict=True))
    kind = "system" if one["is_system"] else ("project" if one["project_id"] else "domain")
    return AssignmentRow(
        one["user_id"], one["user_name"], one["user_domain_id"], one["user_domain_name"],
        RoleRow(one["role_id"], one["role_name"], one["role_domain_id"]),
        kind, one.get(f"{kind}_id") or "", one.get(f"{kind}_name") or "",
        one["project_domain_id"] or "", one["project_domain_name"] or "",
    )  # fmt: skip


def _effective(rows: list[AssignmentRow]) -> Iterator[AssignmentRow]:
    """Yield each assignment, and one for each role that it implies; none twice."""
    implied_by = roles.implications()
    seen: set[tuple[str, str, str, str]] = set()
    for row in rows:
        for role in roles.closure({row.role}, implied_by):
            key = (row.user_id, row.kind, row.target_id, role.id)
            if role.domain_id is None and key not in seen:
                seen.add(key)
                yield row if role == row.role else replace(row, role=role, prior_role_id=row.role.id)
