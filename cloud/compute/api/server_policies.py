"""Who may do what with servers.

Source: https://docs.openstack.org/nova/latest/configuration/policy.html
"""

from cloud.core.policy import Rule, admin, project_member, project_reader

_PREFIX = "os_compute_api:"
_ROWS: dict[Rule, tuple[str, ...]] = {
    project_reader: (
        "servers:index", "servers:detail", "servers:show", "ips:index", "ips:show", "os-instance-actions:list",
        "os-instance-actions:show", "server-metadata:index", "server-metadata:show", "os-server-tags:index",
        "os-server-tags:show", "os-server-password:show",
    ),
    project_member: (
        "servers:create", "servers:update", "servers:delete", "servers:action", "servers:start", "servers:stop",
        "servers:reboot", "servers:create:attach_network", "servers:create:trusted_certs", "os-console-output",
        "os-server-password:clear", "os-lock-server:lock", "os-lock-server:unlock",
        "os-deferred-delete:force", "os-deferred-delete:restore",
        "os-security-groups:add", "os-security-groups:remove",
        "server-metadata:create", "server-metadata:update", "server-metadata:update_all", "server-metadata:delete",
        "os-server-tags:update", "os-server-tags:update_all", "os-server-tags:delete", "os-server-tags:delete_all",
        "servers:confirm_resize", "servers:revert_resize", "servers:resize", "servers:rebuild",
        "servers:create_image", "servers:trigger_crash_dump", "os-admin-password", "os-create-backup",
        "os-pause-server:pause", "os-pause-server:unpause", "os-remote-consoles", "os-rescue", "os-unrescue",
        "os-shelve:shelve", "os-shelve:unshelve", "os-suspend-server:suspend", "os-suspend-server:resume",
        "os-floating-ips:add", "os-floating-ips:remove", "os-multinic:add", "os-multinic:remove",
    ),
    admin: (
        "servers:index:get_all_tenants", "servers:detail:get_all_tenants", "servers:allow_all_filters",
        "servers:show:host_status", "servers:show:fault_details", "os-extended-server-attributes",
        "servers:create:forced_host", "servers:create:zero_disk_flavor",
        "os-instance-actions:events", "os-instance-actions:events:details", "os-lock-server:unlock:unlock_override",
        "os-admin-actions:reset_state", "os-admin-actions:inject_network_info", "os-evacuate",
        "os-migrate-server:migrate", "os-migrate-server:migrate_live",
        "servers:migrations:index", "servers:migrations:show", "os-shelve:shelve_offload",
    ),
}
SERVER_POLICIES = {
    **{_PREFIX + operation: rule for rule, operations in _ROWS.items() for operation in operations},
    "compute:servers:create:requested_destination": admin,
}
