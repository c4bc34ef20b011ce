"""Whoever has a shell on the control plane's machine, as the services know who asks."""

from cloud.core.context import RequestContext, new_request_id

_ROLES = frozenset({"admin", "manager", "member", "reader"})


def operator_context(project_id: str = "") -> RequestContext:
    """Return the context of an administrator, in a project or of the whole."""
    return RequestContext(
        request_id=new_request_id(), user_id="", user_name="operator", project_id=project_id,
        is_system=not project_id, roles=_ROLES, methods=("shell",),
    )  # fmt: skip
