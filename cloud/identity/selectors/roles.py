"""Which roles somebody has somewhere, with those that they imply."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q
from django.http import QueryDict

from cloud.identity.errors import NoSuch
from cloud.identity.models import Role, RoleAssignment, RoleInference
from cloud.identity.selectors.pages import Filters, Page, page_of


class RoleRow(NamedTuple):
    """A role; `domain_id` is None for all but the private roles of a domain."""

    id: str
    name: str
    domain_id: str | None = None


_FILTERS = Filters(exact={"domain_id": "domain_id"})


def role(id: str) -> Role:
    """Return a role. Raises NoSuch."""
    found = Role.objects.filter(pk=id).first()
    if found is None:
        raise NoSuch(kind="role", id=id[:64])
    return found


def page(query: QueryDict) -> Page:
    """Return a page of roles: those of no domain, unless a domain is named."""
    rows = _FILTERS.narrow(Role.objects.all(), query)
    return page_of(rows if "domain_id" in query else rows.filter(domain=None), query)


def inferences(**key: str) -> list[RoleInference]:
    """Return the rules with both of their roles, e.g. those of `prior_id`."""
    rows = RoleInference.objects.filter(**key).select_related("prior", "implied")
    return list(rows.order_by("prior__name", "implied__name"))


def implications() -> dict[str, list[RoleRow]]:
    """Return, by the id of a role, the roles that it implies at first hand. One query."""
    found: dict[str, list[RoleRow]] = defaultdict(list)
    columns = ("prior_id", "implied_id", "implied__name", "implied__domain_id")
    for prior, *implied in RoleInference.objects.values_list(*columns):
        found[prior].append(RoleRow(*implied))
    return found


def expand(roles: Iterable[RoleRow]) -> frozenset[RoleRow]:
    """Return the roles and all that they imply, at any depth. One query, none where there is no role."""
    held = set(roles)
    return closure(held, implications()) if held else frozenset()


def closure(held: set[RoleRow], implied_by: dict[str, list[RoleRow]]) -> frozenset[RoleRow]:
    """Return the roles and all that they imply by the given rules. Circles do no harm."""
    reached, frontier = set(held), list(held)
    while frontier:
        fresh = [role for role in implied_by.get(frontier.pop().id, ()) if role not in reached]
        reached.update(fresh)
        frontier.extend(fresh)
    return frozenset(reached)


def on_project(user_id: str, project_id: str) -> frozenset[RoleRow]:
    """Return a user's roles in a project."""
    return _effective(Q(user_id=user_id, project_id=project_id))


def on_domain(user_id: str, domain_id: str) -> frozenset[RoleRow]:
    """Return a user's roles in a domain."""
    return _effective(Q(user_id=user_id, domain_id=domain_id))


def on_system(user_id: str) -> frozenset[RoleRow]:
    """Return a user's roles in the system."""
    return _effective(Q(user_id=user_id, is_system=True))


def _effective(condition: Q) -> frozenset[RoleRow]:
    # A role that belongs to a domain never stands in a token itself; what it implies does.
    rows = RoleAssignment.objects.filter(condition, is_inherited=False)
    held = rows.values_list("role_id", "role__name", "role__domain_id")
    return frozenset(role for role in expand(RoleRow(*row) for row in held) if role.domain_id is None)
