"""Who may look at placement: admins.

Source: https://docs.openstack.org/placement/latest/configuration/policy.html
"""

from cloud.core.policy import Rule, admin, register

_ROWS = (
    "resource_providers:list", "resource_providers:show", "resource_providers:inventories:list",
    "resource_providers:inventories:show", "resource_providers:usages", "resource_providers:allocations:list",
    "resource_providers:aggregates:list", "resource_providers:traits:list", "traits:list", "traits:show",
    "resource_classes:list", "resource_classes:show", "usages", "allocations:list", "allocation_candidates:list",
)
POLICIES: dict[str, Rule] = {f"placement:{name}": admin for name in _ROWS}

register(POLICIES)
