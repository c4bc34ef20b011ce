"""Who may call which operation of the Identity API.

A row looks at the caller alone. Where the caller's own things are concerned the row says `anyone`, and the endpoint
asks `cloud.identity.api.ownership` whose thing it is.
"""

from cloud.core import policy
from cloud.core.context import RequestContext


def reads_all(context: RequestContext) -> bool:
    """The admin role anywhere, or the reader role in the system."""
    return context.is_admin or (context.is_system and "reader" in context.roles)


_OF_ANYONE = (
    "validate_token", "revoke_token", "get_auth_catalog", "get_auth_projects", "get_auth_domains", "get_auth_system",
    "get_user", "get_project", "get_domain", "list_user_projects", "list_groups_for_user",
    "create_application_credential", "list_application_credentials", "get_application_credential",
    "delete_application_credential", "list_services", "get_service", "list_endpoints", "get_endpoint",
    "list_regions", "get_region",
)  # fmt: skip
_OF_READERS = (
    "list_users", "list_projects", "list_domains", "list_groups", "list_roles", "get_role", "list_implied_roles",
    "get_implied_role", "list_role_inference_rules", "list_role_assignments", "list_grants", "check_grant",
    "list_system_grants_for_user", "check_system_grant_for_user", "list_project_tags", "get_project_tag",
)  # fmt: skip
_OF_ADMINS = (
    "create_user", "update_user", "delete_user", "create_project", "update_project", "delete_project",
    "create_domain", "update_domain", "delete_domain", "create_role", "update_role", "delete_role",
    "create_implied_role", "delete_implied_role", "create_grant", "revoke_grant",
    "create_system_grant_for_user", "revoke_system_grant_for_user", "update_project_tags", "create_project_tag",
    "delete_project_tag", "delete_project_tags",
)  # fmt: skip

policy.register({
    **{f"identity:{name}": policy.anyone for name in _OF_ANYONE},
    **{f"identity:{name}": reads_all for name in _OF_READERS},
    **{f"identity:{name}": policy.admin for name in _OF_ADMINS},
})
