"""Limits of network resources: what is there is counted in the transaction that adds to it."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Count, Model

from cloud.core.kept import Kept
from cloud.networks.errors import InvalidQuotaValue, OverQuota
from cloud.networks.models import (
    FloatingIp,
    Network,
    NetworkQuota,
    Port,
    RbacPolicy,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
)

UNLIMITED = -1
# Neutron's defaults.
DEFAULTS: Mapping[str, int] = {
    "network": 100, "subnet": 100, "port": 500, "router": 10, "floatingip": 50, "security_group": 10,
    "security_group_rule": 100, "subnetpool": UNLIMITED, "rbac_policy": 10,
}
_COUNTED: Mapping[str, type[Model]] = {
    "network": Network, "subnet": Subnet, "port": Port, "router": Router, "floatingip": FloatingIp,
    "security_group": SecurityGroup, "security_group_rule": SecurityGroupRule,
    "subnetpool": SubnetPool, "rbac_policy": RbacPolicy,
}
_own_limits: Kept[dict[str, int]] = Kept(
    lambda project_id: NetworkQuota.objects.filter(project_id=project_id).values_list("limits", flat=True)
)
_used: Kept[int] = Kept(
    lambda project_id, model: model._default_manager.filter(project_id=project_id)  # Django's name
    .order_by().values("project_id").annotate(number=Count("pk")).values_list("number", flat=True)
)


def limits(project_id: str) -> dict[str, int]:
    """Return a project's limits by resource; -1 is none."""
    return {**DEFAULTS, **(_own_limits.first(project_id=project_id) or {})}


def used(project_id: str, resource: str) -> int:
    """Return how much of a resource a project has."""
    return _used.first(project_id=project_id, model=_COUNTED[resource]) or 0


def usages(project_id: str) -> dict[str, int]:
    """Return how much a project has, by resource."""
    return {resource: used(project_id, resource) for resource in DEFAULTS}


def room(project_id: str, resource: str) -> int | None:
    """Return how much more of a resource a project may have; None for no limit."""
    limit = limits(project_id)[resource]
    return None if limit == UNLIMITED else max(0, limit - used(project_id, resource))


def make_room(project_id: str, resource: str, count: int = 1) -> None:
    """Make sure that a project may have `count` more; call it in the transaction that makes them, before they exist.

    Raises:
        OverQuota
    """
    NetworkQuota.objects.get_or_create(project_id=project_id)
    # Whoever else makes something of this project waits here until we are done, so that no two count the same room.
    NetworkQuota.objects.select_for_update().get(project_id=project_id)
    left = room(project_id, resource)
    if left is not None and count > left:
        raise OverQuota(resource=resource)


def set_limits(project_id: str, changed: Mapping[str, int], *, is_checked: bool = False) -> dict[str, int]:
    """Set some of a project's limits and return all of them.

    Args:
        project_id: whose.
        changed: limits by resource; -1 is none.
        is_checked: refuse a limit below what the project has.

    Raises:
        InvalidQuotaValue
    """
    with transaction.atomic():
        NetworkQuota.objects.get_or_create(project_id=project_id)
        row = NetworkQuota.objects.select_for_update().get(project_id=project_id)
        below = [name for name, limit in changed.items() if UNLIMITED < limit < used(project_id, name)]
        if is_checked and below:
            raise InvalidQuotaValue(resources=below)
        row.limits = {**row.limits, **changed}
        row.save(update_fields=["limits"])
    return {**DEFAULTS, **row.limits}


def reset_limits(project_id: str) -> bool:
    """Give a project the default limits again; tell whether it had others."""
    return bool(NetworkQuota.objects.filter(project_id=project_id).exclude(limits={}).update(limits={}))


def own_limits() -> list[dict[str, Any]]:
    """Return {project_id, and each resource's limit} of the projects whose limits were set."""
    rows = NetworkQuota.objects.exclude(limits={}).order_by("project_id").values_list("project_id", "limits")
    return [{"project_id": project_id, **DEFAULTS, **own} for project_id, own in rows]
