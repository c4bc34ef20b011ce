"""Sharing a resource with single projects.

Source: https://docs.openstack.org/api-ref/network/v2/#rbac-policies
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet

from cloud.core import policy
from cloud.core.context import RequestContext
from cloud.networks.errors import BadRequest, DuplicateRbacPolicy, RbacPolicyInUse
from cloud.networks.models import FloatingIp, Network, Port, RbacPolicy, SecurityGroupRule, Subnet, SubnetPool
from cloud.networks.models.device_owners import ROUTER_GATEWAY
from cloud.networks.selectors import owned
from cloud.networks.services.quotas import make_room

Users = Callable[[str], tuple[QuerySet[Any], ...]]
# (kind of resource, action) -> what of others needs the right, by the id of the resource.
_USERS: Mapping[tuple[str, str], Users] = {
    ("network", RbacPolicy.SHARED): lambda key: (Port.objects.filter(network=key), Subnet.objects.filter(network=key)),
    ("network", RbacPolicy.EXTERNAL): lambda key: (
        Port.objects.filter(network=key, device_owner=ROUTER_GATEWAY), FloatingIp.objects.filter(network=key),
    ),
    ("subnetpool", RbacPolicy.SHARED): lambda key: (Subnet.objects.filter(subnetpool=key),),
    ("address_scope", RbacPolicy.SHARED): lambda key: (SubnetPool.objects.filter(address_scope=key),),
    ("qos_policy", RbacPolicy.SHARED): lambda key: (
        Network.objects.filter(qos_policy=key), Port.objects.filter(qos_policy=key),
    ),
    ("security_group", RbacPolicy.SHARED): lambda key: (
        Port.objects.filter(security_groups=key), SecurityGroupRule.objects.filter(remote_group=key),
    ),
}
_OWN: Mapping[str, Callable[[RequestContext, str], Model]] = {
    "network": owned.lock_network, "subnetpool": owned.lock_subnet_pool, "address_scope": owned.lock_address_scope,
    "qos_policy": owned.lock_qos_policy, "security_group": owned.lock_group,
}
OBJECT_TYPES = tuple(_OWN)
ACTIONS = (RbacPolicy.SHARED, RbacPolicy.EXTERNAL)


def create_policies(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Share resources, all or none, from the API's attributes with their `project_id`; return the policies' ids.

    Raises:
        the resource's not-found error, also for another project's
        PolicyNotAuthorized: with everybody, or as external, without being an admin.
        BadRequest: such a resource cannot be shared so.
        DuplicateRbacPolicy, OverQuota
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "rbac_policy", count)
        return [_create(context, item) for item in wanted]


def update_policy(context: RequestContext, policy_id: str, values: dict[str, Any]) -> None:
    """Share with another project instead. Raises RbacPolicyNotFound, RbacPolicyInUse, PolicyNotAuthorized."""
    with transaction.atomic():
        row = owned.lock_rbac_policy(context, policy_id)
        target = values.get("target_tenant", row.target_project)
        if target == row.target_project:
            return
        _refuse_everybody(context, target)
        _refuse_use(row)
        row.target_project = target
        _save(row, is_new=False)


def delete_policy(context: RequestContext, policy_id: str) -> None:
    """End it. Raises RbacPolicyNotFound, and RbacPolicyInUse while others use the resource by this right."""
    with transaction.atomic():
        row = owned.lock_rbac_policy(context, policy_id)
        _refuse_use(row)
        row.delete()


def forget(object_ids: Collection[str]) -> None:
    """Call it when resources go."""
    RbacPolicy.objects.filter(object_id__in=object_ids).delete()


def _create(context: RequestContext, item: dict[str, Any]) -> str:
    kind, action, target = item["object_type"], item["action"], item["target_tenant"]
    if (kind, action) not in _USERS:
        raise BadRequest(f"{action} is no right to a {kind}")
    if action == RbacPolicy.EXTERNAL:
        policy.enforce(context, "create_rbac_policy:external")
    _refuse_everybody(context, target)
    _OWN[kind](context, item["object_id"])
    row = RbacPolicy(
        project_id=item["project_id"], object_type=kind, object_id=item["object_id"], action=action,
        target_project=target,
    )
    _save(row, is_new=True)
    return row.id


def _refuse_everybody(context: RequestContext, target: str) -> None:
    if target == RbacPolicy.EVERYBODY:
        policy.enforce(context, "create_rbac_policy:target_tenant")


def _save(row: RbacPolicy, *, is_new: bool) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=is_new)
    except IntegrityError:
        raise DuplicateRbacPolicy from None


def _refuse_use(row: RbacPolicy) -> None:
    """Refuse to end a right that a project uses, unless another gives it the same."""
    others = RbacPolicy.objects.filter(object_id=row.object_id, action=row.action).exclude(pk=row.pk)
    kept = set(others.values_list("target_project", flat=True))
    if RbacPolicy.EVERYBODY in kept:
        return
    target = {} if row.target_project == RbacPolicy.EVERYBODY else {"project_id": row.target_project}
    for users in _USERS[row.object_type, row.action](row.object_id):
        if users.filter(**target).exclude(project_id__in=[row.project_id, *kept]).exists():
            raise RbacPolicyInUse(object_id=row.object_id)
