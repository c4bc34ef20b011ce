"""Rows to change: fetched through their project, locked, and not found where they are another's."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from cloud.core.context import RequestContext
from cloud.core.errors import CloudError
from cloud.networks.errors import (
    AddressScopeNotFound,
    FloatingIpNotFound,
    GroupNotFound,
    NetworkNotFound,
    PortNotFound,
    QosPolicyNotFound,
    RbacPolicyNotFound,
    RouterNotFound,
    RuleNotFound,
    SubnetNotFound,
    SubnetPoolNotFound,
)
from cloud.networks.models import (
    AddressScope,
    FloatingIp,
    Network,
    Port,
    QosPolicy,
    RbacPolicy,
    Router,
    SecurityGroup,
    Subnet,
    SubnetPool,
)
from cloud.networks.selectors import visible

_Row = TypeVar("_Row", bound=Model)


def lock_network(context: RequestContext, network_id: str) -> Network:
    """Return a network that the token may change, locked. Raises NetworkNotFound."""
    return _lock(_own(context, Network.objects.all()), network_id, NetworkNotFound(network_id=network_id))


def lock_subnet(context: RequestContext, subnet_id: str) -> Subnet:
    """Return a subnet that the token may change, locked. Raises SubnetNotFound."""
    return _lock(_own(context, Subnet.objects.all()), subnet_id, SubnetNotFound(subnet_id=subnet_id))


def lock_port(context: RequestContext, port_id: str) -> Port:
    """Return a port that the token may change, locked: its project's, or in its project's network.

    Raises:
        PortNotFound
    """
    return _lock(visible.ports(context), port_id, PortNotFound(port_id=port_id))


def lock_group(context: RequestContext, group_id: str) -> SecurityGroup:
    """Return a security group that the token may change, locked. Raises GroupNotFound."""
    return _lock(_own(context, SecurityGroup.objects.all()), group_id, GroupNotFound(group_id=group_id))


def group_of_rule(context: RequestContext, rule_id: str) -> str:
    """Return the security group of a rule that the token may change. Raises RuleNotFound."""
    groups = _own(context, SecurityGroup.objects.all())
    group_id = groups.filter(rules=rule_id).values_list("id", flat=True).first()
    if group_id is None:
        raise RuleNotFound(rule_id=rule_id)
    return group_id


def lock_router(context: RequestContext, router_id: str) -> Router:
    """Return a router that the token may change, locked. Raises RouterNotFound."""
    return _lock(visible.routers(context), router_id, RouterNotFound(router_id=router_id))


def lock_floating_ip(context: RequestContext, floating_ip_id: str) -> FloatingIp:
    """Return a floating address that the token may change, locked. Raises FloatingIpNotFound."""
    return _lock(visible.floating_ips(context), floating_ip_id, FloatingIpNotFound(floatingip_id=floating_ip_id))


def lock_subnet_pool(context: RequestContext, pool_id: str) -> SubnetPool:
    """Return a subnet pool that the token may change, locked. Raises SubnetPoolNotFound."""
    return _lock(_own(context, SubnetPool.objects.all()), pool_id, SubnetPoolNotFound(subnetpool_id=pool_id))


def lock_address_scope(context: RequestContext, scope_id: str) -> AddressScope:
    """Return an address scope that the token may change, locked. Raises AddressScopeNotFound."""
    return _lock(_own(context, AddressScope.objects.all()), scope_id, AddressScopeNotFound(address_scope_id=scope_id))


def lock_qos_policy(context: RequestContext, policy_id: str) -> QosPolicy:
    """Return a QoS policy that the token may change, locked. Raises QosPolicyNotFound."""
    return _lock(_own(context, QosPolicy.objects.all()), policy_id, QosPolicyNotFound(policy_id=policy_id))


def lock_rbac_policy(context: RequestContext, policy_id: str) -> RbacPolicy:
    """Return an RBAC policy that the token may change, locked. Raises RbacPolicyNotFound."""
    return _lock(_own(context, RbacPolicy.objects.all()), policy_id, RbacPolicyNotFound(policy_id=policy_id))


def _own(context: RequestContext, rows: QuerySet[_Row]) -> QuerySet[_Row]:
    return rows if context.is_admin else rows.filter(project_id=context.project_id)


def _lock(rows: QuerySet[_Row], row_id: str, not_found: CloudError) -> _Row:
    row = rows.select_for_update(of=("self",)).filter(pk=row_id).first()
    if row is None:
        raise not_found
    return row
