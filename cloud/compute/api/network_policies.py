"""Who may use what compute passes on to the network service."""

from cloud.core.policy import Rule, project_member, project_reader

_PREFIX = "os_compute_api:"
_READS = (
    "os-networks:list", "os-networks:show", "os-tenant-networks:list", "os-tenant-networks:show",
    "os-floating-ip-pools", "os-security-groups:get", "os-security-groups:show", "os-security-groups:list",
    "os-floating-ips:list", "os-floating-ips:show", "os-attach-interfaces:list", "os-attach-interfaces:show",
)
_CHANGES = (
    "os-security-groups:create", "os-security-groups:update", "os-security-groups:delete",
    "os-security-groups:rule:create", "os-security-groups:rule:delete",
    "os-floating-ips:create", "os-floating-ips:delete", "os-attach-interfaces:create", "os-attach-interfaces:delete",
)
NETWORK_POLICIES: dict[str, Rule] = {
    **{_PREFIX + name: project_reader for name in _READS},
    **{_PREFIX + name: project_member for name in _CHANGES},
}
