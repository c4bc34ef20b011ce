"""What the compute API passes on of networks and security groups."""

from collections.abc import Collection

from cloud.core.context import RequestContext
from cloud.networks.errors import GroupNotFound
from cloud.networks.models import SecurityGroup
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, group_rows


def network_names(context: RequestContext, ids: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Return id and name of the networks that a token may see, all or those among some ids."""
    rows = visible.networks(context).order_by("created_at", "id")
    if ids is not None:
        rows = rows.filter(id__in=ids)
    return list(rows.values_list("id", "name"))


def external_names(context: RequestContext) -> list[str]:
    """Return the names of the external networks that a token may see."""
    return list(visible.networks(context).filter(is_external=True).order_by("name").values_list("name", flat=True))


def groups(context: RequestContext, *, is_everybodys: bool = False) -> list[Row]:
    """Return the security groups of a token's project with their rules; all that it may see if asked for."""
    rows = visible.security_groups(context).order_by("created_at", "id")
    return group_rows(rows if is_everybodys else rows.filter(project_id=context.project_id))


def group(context: RequestContext, group_id: str) -> Row:
    """Return a security group with its rules. Raises GroupNotFound."""
    rows = group_rows(visible.security_groups(context).filter(id=group_id))
    if not rows:
        raise GroupNotFound(group_id=group_id)
    return rows[0]


def groups_of_server(instance_uuid: str) -> list[Row]:
    """Return the security groups of a server's interfaces with their rules."""
    rows = SecurityGroup.objects.filter(ports__device_id=instance_uuid, ports__position__gte=0)
    return group_rows(rows.distinct().order_by("created_at", "id"))


def group_names(ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return name and project of security groups by id."""
    rows = SecurityGroup.objects.filter(id__in=ids).values_list("id", "name", "project_id")
    return {group_id: (name, project_id) for group_id, name, project_id in rows}
