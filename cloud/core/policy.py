"""One table of who may do what: a row for every operation, filled by each app's `api/policies.py`.

A rule looks at the roles of the token and at its scope. That an object belongs to the project is not its business:
objects are fetched through their project, so that a foreign one is simply not found.
"""

from collections.abc import Callable, Mapping

from cloud.core.context import RequestContext
from cloud.core.errors import PolicyNotAuthorized

Rule = Callable[[RequestContext], bool]


def anyone(context: RequestContext) -> bool:
    """Whoever is authenticated, with any scope or none."""
    return True


def admin(context: RequestContext) -> bool:
    """The admin role, whatever the scope."""
    return context.is_admin


def project_reader(context: RequestContext) -> bool:
    """Reader, member or admin in a project."""
    return context.is_admin or (bool(context.project_id) and "reader" in context.roles)


def project_member(context: RequestContext) -> bool:
    """Member or admin in a project."""
    return context.is_admin or (bool(context.project_id) and "member" in context.roles)


def nobody(context: RequestContext) -> bool:
    """No one."""
    return False


_table: dict[str, Rule] = {}


def register(rows: Mapping[str, Rule]) -> None:
    """Add an app's rows.

    Raises:
        ValueError: a row of this name exists with another rule.
    """
    for name, rule in rows.items():
        if _table.setdefault(name, rule) is not rule:
            raise ValueError(f"two rules for {name}")


def rows() -> Mapping[str, Rule]:
    """Return the whole table."""
    return _table


def allows(context: RequestContext, name: str) -> bool:
    """Tell whether the context may do what the row names.

    Raises:
        KeyError: there is no such row; a route without a row never answers.
    """
    return _table[name](context)


def enforce(context: RequestContext, name: str) -> None:
    """Refuse what the row does not allow.

    Raises:
        PolicyNotAuthorized
    """
    if not allows(context, name):
        raise PolicyNotAuthorized(policy=name)
