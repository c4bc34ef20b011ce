"""What the identity API refuses, in Keystone's words."""

from cloud.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized


class AuthenticationFailed(Unauthorized):
    """The request you have made requires authentication."""


class NoSuch(NotFound):
    """Could not find {kind}: {id}."""


class TokenNotFound(NotFound):
    """Could not find the token; it is forged, has expired or was revoked."""


class AssignmentNotFound(NotFound):
    """Could not find role assignment with role: {role_id}, user: {user_id}, project, domain, or system: {target}."""


class Duplicate(Conflict):
    """Conflict occurred attempting to store {kind} - Duplicate entry found with name {name}."""


class ActionForbidden(Forbidden):
    """You are not authorized to perform the requested action: {action}."""


class DomainStillEnabled(Forbidden):
    """Cannot delete a domain that is enabled, please disable it first."""


class ProjectHasChildren(Forbidden):
    """Cannot delete the project {id} since it is not a leaf in the hierarchy."""


class RoleIsImmutable(Forbidden):
    """Role {id} cannot be changed or deleted while its option `immutable` is true."""


class FieldIsImmutable(Invalid):
    """Cannot change {field}; make a new {kind} instead."""


class InvalidFilter(Invalid):
    """Invalid value for the query parameter {name}."""
