"""Reading server groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from cloud.compute import states
from cloud.compute.errors import ServerGroupNotFound
from cloud.compute.models import Instance, ServerGroup, ServerGroupMember
from cloud.core.context import RequestContext


@dataclass(frozen=True)
class GroupRow:
    """A group with the uuids of its servers that still exist."""

    group: ServerGroup
    members: list[str]


def list_groups(
    context: RequestContext, *, all_projects: bool = False, offset: int = 0, limit: int | None = None
) -> list[GroupRow]:
    """Return a page of the project's groups by id, or of everybody's. Three queries for any number."""
    rows = ServerGroup.objects.all() if all_projects else ServerGroup.objects.filter(project_id=context.project_id)
    end = None if limit is None else offset + limit
    return _with_members(rows.order_by("id")[offset:end])


def get_group(context: RequestContext, group_id: str) -> GroupRow:
    """Return a group of the project; admins may see everybody's.

    Raises:
        ServerGroupNotFound
    """
    rows = ServerGroup.objects.filter(uuid=group_id)
    if not context.is_admin:
        rows = rows.filter(project_id=context.project_id)
    found = _with_members(rows)
    if not found:
        raise ServerGroupNotFound(group_id=group_id)
    return found[0]


def _with_members(rows: QuerySet[ServerGroup]) -> list[GroupRow]:
    groups: Sequence[ServerGroup] = list(rows)
    pairs = list(
        ServerGroupMember.objects.filter(group__in=groups).order_by("id").values_list("group_id", "instance_uuid")
    )
    living = set(
        Instance.objects.filter(uuid__in={uuid for _, uuid in pairs}, deleted=False)
        .exclude(vm_state=states.SOFT_DELETED).values_list("uuid", flat=True)
    )
    found: dict[int, list[str]] = {group.id: [] for group in groups}
    for group_id, uuid in pairs:
        if uuid in living:
            found[group_id].append(uuid)
    return [GroupRow(group, found[group.id]) for group in groups]
