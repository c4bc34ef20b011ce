"""Who may do what in compute.

Source: https://docs.openstack.org/nova/latest/configuration/policy.html
"""

from cloud.compute.api.network_policies import NETWORK_POLICIES
from cloud.compute.api.novella.policies import NOVELLA_POLICIES
from cloud.compute.api.server_policies import SERVER_POLICIES
from cloud.core.policy import Rule, admin, anyone, project_member, project_reader, register

_PREFIX = "os_compute_api:"

# rule -> operations, without the prefix
_ROWS: dict[Rule, tuple[str, ...]] = {
    anyone: (
        "versions", "extensions", "gone", "flavors:action", "os-aggregates:action",
        "os-availability-zone:list", "os-quota-sets:defaults",
        "os-keypairs:index", "os-keypairs:show", "os-keypairs:create", "os-keypairs:delete",
    ),
    project_reader: (
        "flavors", "os-flavor-extra-specs:index", "os-flavor-extra-specs:show", "limits", "os-quota-sets:show",
        "os-quota-sets:detail", "os-server-groups:index", "os-server-groups:show", "os-simple-tenant-usage:show",
        "images",
    ),
    project_member: ("os-server-groups:create", "os-server-groups:delete", "images:change"),
    admin: (
        "os-flavor-manage:create", "os-flavor-manage:update", "os-flavor-manage:delete",
        "os-flavor-extra-specs:create", "os-flavor-extra-specs:update", "os-flavor-extra-specs:delete",
        "os-flavor-access", "os-flavor-access:add_tenant_access", "os-flavor-access:remove_tenant_access",
        "limits:other_project", "os-quota-sets:update", "os-quota-sets:delete",
        "os-quota-class-sets:show", "os-quota-class-sets:update", "os-availability-zone:detail",
        "os-services:list", "os-services:update", "os-services:delete",
        "os-hypervisors:list", "os-hypervisors:list-detail", "os-hypervisors:show", "os-hypervisors:statistics",
        "os-hypervisors:uptime", "os-hypervisors:search", "os-hypervisors:servers",
        "os-hosts:list", "os-hosts:show", "os-hosts:update", "os-hosts:reboot", "os-hosts:shutdown", "os-hosts:start",
        "os-aggregates:index", "os-aggregates:create", "os-aggregates:show", "os-aggregates:update",
        "os-aggregates:delete", "os-aggregates:add_host", "os-aggregates:remove_host", "os-aggregates:set_metadata",
        "compute:aggregates:images", "os-simple-tenant-usage:list", "os-migrations:index",
        "os-server-groups:index:all_projects",
    ),
}
ROWS = {_PREFIX + operation: rule for rule, operations in _ROWS.items() for operation in operations}
register({**ROWS, **SERVER_POLICIES, **NETWORK_POLICIES, **NOVELLA_POLICIES})
