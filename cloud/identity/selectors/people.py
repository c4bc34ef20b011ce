"""Finding domains, projects and users."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

from cloud.identity.errors import NoSuch
from cloud.identity.models import Domain, Project, RoleAssignment, User
from cloud.identity.selectors.pages import Filters, Page, page_of

_Row = TypeVar("_Row", bound=Model)
_DOMAIN_FILTERS = Filters(booleans=("enabled",))
_PROJECT_FILTERS = Filters(exact={"domain_id": "domain_id"}, booleans=("enabled",))
_USER_FILTERS = Filters(
    exact={"domain_id": "domain_id", "default_project_id": "default_project_id"}, booleans=("enabled",)
)


def find(rows: "QuerySet[_Row]", kind: str, id: str) -> _Row:
    """Return the row of this id.

    Raises:
        NoSuch
    """
    found = rows.filter(pk=id).first()
    if found is None:
        raise NoSuch(kind=kind, id=id[:64])
    return found


def domain(id: str, rows: "QuerySet[Domain] | None" = None) -> Domain:
    """Return a domain, e.g. from rows that are locked. Raises NoSuch."""
    return find(Domain.objects.all() if rows is None else rows, "domain", id)


def project(id: str, rows: "QuerySet[Project] | None" = None) -> Project:
    """Return a project. Raises NoSuch."""
    return find(Project.objects.all() if rows is None else rows, "project", id)


def user(id: str, rows: "QuerySet[User] | None" = None) -> User:
    """Return a user. Raises NoSuch."""
    return find(User.objects.all() if rows is None else rows, "user", id)


def domains(query: QueryDict) -> Page:
    """Return a page of domains."""
    return page_of(_DOMAIN_FILTERS.narrow(Domain.objects.all(), query), query)


def users(query: QueryDict) -> Page:
    """Return a page of users."""
    return page_of(_USER_FILTERS.narrow(User.objects.all(), query), query)


def projects(query: QueryDict) -> Page:
    """Return a page of projects; `parent_id` may be that of a domain, and tags are a set."""
    rows = _PROJECT_FILTERS.narrow(Project.objects.all(), query)
    if "parent_id" in query:
        parent = query["parent_id"]
        is_top = Domain.objects.filter(pk=parent).exists()
        rows = rows.filter(parent=None, domain_id=parent) if is_top else rows.filter(parent_id=parent)
    if _TAG_TESTS.keys() & query.keys():
        rows = rows.filter(pk__in=_tagged(rows, query))
    return page_of(rows, query)


def projects_of(user_id: str, query: QueryDict) -> Page:
    """Return the enabled projects in which a user has a role."""
    held = RoleAssignment.objects.filter(user_id=user_id, project__isnull=False, is_inherited=False)
    rows = Project.objects.filter(pk__in=held.values("project_id"), enabled=True, domain__enabled=True)
    return page_of(_PROJECT_FILTERS.narrow(rows, query), query)


def domains_of(user_id: str, query: QueryDict) -> Page:
    """Return the enabled domains in which a user has a role."""
    held = RoleAssignment.objects.filter(user_id=user_id, domain__isnull=False, is_inherited=False)
    rows = Domain.objects.filter(pk__in=held.values("domain_id"), enabled=True)
    return page_of(_DOMAIN_FILTERS.narrow(rows, query), query)


# SQLite cannot look into a JSON list, so tags are compared here; only lists that ask for tags pay for it.
_TAG_TESTS: dict[str, Any] = {
    "tags": lambda wanted, tags: wanted <= tags,
    "tags-any": lambda wanted, tags: bool(wanted & tags),
    "not-tags": lambda wanted, tags: not wanted <= tags,
    "not-tags-any": lambda wanted, tags: not wanted & tags,
}


def _tagged(rows: "QuerySet[Project]", query: QueryDict) -> list[str]:
    asked = [(_TAG_TESTS[name], set(query[name].split(","))) for name in _TAG_TESTS if name in query]
    return [
        id for id, tags in rows.values_list("id", "tags") if all(test(wanted, set(tags)) for test, wanted in asked)
    ]
