"""QoS policies and their bandwidth limits made, changed and removed.

Source: https://docs.openstack.org/api-ref/network/v2/#quality-of-service
"""

from typing import Any

from django.db import IntegrityError, transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import (
    QosPolicyDefaultExists,
    QosPolicyInUse,
    QosPolicyNotFound,
    QosRuleNotFound,
    QosRulesConflict,
)
from cloud.networks.models import BandwidthLimit, QosPolicy, ResourceTag
from cloud.networks.selectors import visible
from cloud.networks.selectors.owned import lock_qos_policy
from cloud.networks.services import changes, rbac
from cloud.networks.services.changing import renamed, save_changes

_USERS_NAMED = 5


def create_policies(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make policies, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        QosPolicyDefaultExists
    """
    with transaction.atomic():
        made = [QosPolicy(**renamed(item, {}, without=("tenant_id",))) for item in wanted]
        for one in made:
            _save(one, {}, is_new=True)
        return [one.id for one in made]


def update_policy(context: RequestContext, policy_id: str, values: dict[str, Any]) -> None:
    """Change a policy. Raises QosPolicyNotFound, QosPolicyDefaultExists."""
    with transaction.atomic():
        _save(lock_qos_policy(context, policy_id), values, is_new=False)


def delete_policy(context: RequestContext, policy_id: str) -> None:
    """Remove a policy and its rules. Raises QosPolicyNotFound, and QosPolicyInUse while it is on something."""
    with transaction.atomic():
        policy = lock_qos_policy(context, policy_id)
        users = [f"{kind} {key}" for kind, rows in (("network", policy.networks), ("port", policy.ports))
                 for key in rows.values_list("id", flat=True)[:_USERS_NAMED]]
        if users:
            raise QosPolicyInUse(policy_id=policy_id, users=", ".join(users))
        ResourceTag.objects.filter(resource_id=policy_id).delete()
        rbac.forget([policy_id])
        policy.delete()


def create_limit(context: RequestContext, policy_id: str, values: dict[str, Any]) -> BandwidthLimit:
    """Give a policy a bandwidth limit. Raises QosPolicyNotFound, QosRulesConflict."""
    with transaction.atomic():
        policy = lock_qos_policy(context, policy_id)
        limit = BandwidthLimit(policy=policy, **values)
        _save_limit(limit)
        _note(policy)
        return limit


def update_limit(context: RequestContext, policy_id: str, rule_id: str, values: dict[str, Any]) -> BandwidthLimit:
    """Change a bandwidth limit. Raises QosPolicyNotFound, QosRuleNotFound, QosRulesConflict."""
    with transaction.atomic():
        policy = lock_qos_policy(context, policy_id)
        limit = _limit(policy, rule_id)
        for name, value in values.items():
            setattr(limit, name, value)
        _save_limit(limit)
        _note(policy)
        return limit


def delete_limit(context: RequestContext, policy_id: str, rule_id: str) -> None:
    """Take a bandwidth limit from a policy. Raises QosPolicyNotFound, QosRuleNotFound."""
    with transaction.atomic():
        policy = lock_qos_policy(context, policy_id)
        _limit(policy, rule_id).delete()
        _note(policy)


def seen_limits(context: RequestContext, policy_id: str) -> list[BandwidthLimit]:
    """Return the bandwidth limits of a policy that a token may see. Raises QosPolicyNotFound."""
    policy = visible.qos_policies(context).filter(id=policy_id).first()
    if policy is None:
        raise QosPolicyNotFound(policy_id=policy_id)
    return list(policy.bandwidth_limits.order_by("direction"))


def usable(context: RequestContext, policy_id: str | None) -> str | None:
    """Return a policy's id if a token may put it on something; None for none. Raises QosPolicyNotFound."""
    if policy_id is None:
        return None
    if not visible.qos_policies(context).filter(id=policy_id).exists():
        raise QosPolicyNotFound(policy_id=policy_id)
    return policy_id


def default_policy(project_id: str) -> str | None:
    """Return the id of a project's default policy, or None."""
    return QosPolicy.objects.filter(project_id=project_id, is_default=True).values_list("id", flat=True).first()


def _save(policy: QosPolicy, values: dict[str, Any], *, is_new: bool) -> None:
    try:
        with transaction.atomic():
            if is_new:
                policy.save(force_insert=True)
            else:
                save_changes(policy, values)
    except IntegrityError:
        raise QosPolicyDefaultExists(project_id=policy.project_id) from None


def _note(policy: QosPolicy) -> None:
    """Count a change of its rules as one of the policy, and let the hosts of its ports hear of it."""
    save_changes(policy, {})
    changes.note([changes.of_policy(policy.id)])


def _save_limit(limit: BandwidthLimit) -> None:
    try:
        with transaction.atomic():
            limit.save()
    except IntegrityError:
        raise QosRulesConflict(policy_id=limit.policy_id) from None


def _limit(policy: QosPolicy, rule_id: str) -> BandwidthLimit:
    found = BandwidthLimit.objects.filter(policy=policy, id=rule_id).first()
    if found is None:
        raise QosRuleNotFound(rule_id=rule_id, policy_id=policy.id)
    return found
