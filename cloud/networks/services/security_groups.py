"""Security groups made, changed and removed."""

from collections import Counter
from typing import Any

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import DefaultGroupExists, DefaultGroupFixed, DefaultGroupKept, GroupInUse
from cloud.networks.models import Port, ResourceTag, SecurityGroup, SecurityGroupRule
from cloud.networks.selectors.owned import lock_group
from cloud.networks.services import changes, rbac
from cloud.networks.services.changing import renamed, save_changes
from cloud.networks.services.default_group import NAME as DEFAULT
from cloud.networks.services.default_group import default_group_id, open_egress
from cloud.networks.services.quotas import make_room


def create_groups(wanted: list[dict[str, Any]]) -> list[str]:
    """Make groups that let everything out, all or none, from the API's attributes with their `project_id`.

    Raises:
        DefaultGroupExists: one shall be called `default`.
        OverQuota
    """
    if any(item.get("name") == DEFAULT for item in wanted):
        raise DefaultGroupExists
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            default_group_id(project_id)
            make_room(project_id, "security_group", count)
        groups = [SecurityGroup.objects.create(**renamed(item, {}, without=("tenant_id",))) for item in wanted]
        SecurityGroupRule.objects.bulk_create(rule for group in groups for rule in open_egress(group))
        return [group.id for group in groups]


def update_group(context: RequestContext, group_id: str, values: dict[str, Any]) -> None:
    """Change a group.

    Raises:
        GroupNotFound
        DefaultGroupFixed: the default group keeps its name. DefaultGroupExists: and no other gets it.
        GroupInUse: its ports would have to forget what they remember of their connections.
    """
    with transaction.atomic():
        group = lock_group(context, group_id)
        if values.get("name", group.name) != group.name:
            if group.is_default:
                raise DefaultGroupFixed
            if values["name"] == DEFAULT:
                raise DefaultGroupExists
        if values.get("stateful", group.stateful) != group.stateful and _is_used(group):
            raise GroupInUse(group_id=group_id)
        save_changes(group, values)


def delete_group(context: RequestContext, group_id: str) -> None:
    """Remove a group.

    Raises:
        GroupNotFound
        DefaultGroupKept: it is the project's default group, which only an admin removes.
        GroupInUse: ports are in it.
    """
    with transaction.atomic():
        group = lock_group(context, group_id)
        if group.is_default and not context.is_admin:
            raise DefaultGroupKept
        if _is_used(group):
            raise GroupInUse(group_id=group_id)
        ResourceTag.objects.filter(resource_id=group_id).delete()
        rbac.forget([group_id])
        # Their rules about this group go with it.
        changed = SecurityGroupRule.objects.filter(remote_group=group).values_list("group_id", flat=True)
        changes.note([changes.of_group(one) for one in changed])
        group.delete()


def _is_used(group: SecurityGroup) -> bool:
    return Port.security_groups.through.objects.filter(securitygroup_id=group.id).exists()
