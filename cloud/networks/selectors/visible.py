"""Which rows a token may see, and which it may change. An admin sees and changes all.

A network is seen by its project, by everyone if it is shared or external, and by whom an RBAC policy names; what
stands in it is seen by its own project and, for ports, by the network's too.
"""

from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from cloud.core.context import RequestContext
from cloud.networks.models import (
    AddressScope,
    FloatingIp,
    Network,
    Port,
    QosPolicy,
    RbacPolicy,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
)

_Row = TypeVar("_Row", bound=Model)


def granted(context: RequestContext, kind: str, *actions: str) -> QuerySet[RbacPolicy, str]:
    """Return the ids of what RBAC policies let a token's project use."""
    return _granted_to(context.project_id, kind, *actions)


def _granted_to(project_id: str, kind: str, *actions: str) -> QuerySet[RbacPolicy, str]:
    rows = RbacPolicy.objects.filter(
        object_type=kind, target_project__in=(project_id, RbacPolicy.EVERYBODY),
        action__in=actions or (RbacPolicy.SHARED,),
    )
    return rows.values("object_id")


def is_shared_with(context: RequestContext, network: Network) -> bool:
    """Tell whether a token's project may put ports into another's network."""
    return network.shared or granted(context, "network").filter(object_id=network.id).exists()


def with_grants(context: RequestContext, rows: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """Return rows with `is_granted`: an RBAC policy lets the token's project use it."""
    return rows.annotate(is_granted=Exists(granted(context, kind).filter(object_id=OuterRef("pk"))))


def networks(context: RequestContext) -> QuerySet[Network]:
    """Return the networks that a token may see."""
    mine = Q(project_id=context.project_id) | Q(shared=True) | Q(is_external=True)
    mine |= Q(id__in=granted(context, "network", RbacPolicy.SHARED, RbacPolicy.EXTERNAL))
    return Network.objects.all() if context.is_admin else Network.objects.filter(mine)


def subnets(context: RequestContext) -> QuerySet[Subnet]:
    """Return the subnets that a token may see."""
    mine = Q(project_id=context.project_id) | Q(network__shared=True)
    mine |= Q(network_id__in=granted(context, "network"))
    return Subnet.objects.all() if context.is_admin else Subnet.objects.filter(mine)


def ports(context: RequestContext) -> QuerySet[Port]:
    """Return the ports that a token may see. One that was deleted is seen by nobody, though its host still has it."""
    mine = Q(project_id=context.project_id) | Q(network__project_id=context.project_id)
    rows = Port.objects.filter(is_leaving=False)
    return rows if context.is_admin else rows.filter(mine)


def routers(context: RequestContext) -> QuerySet[Router]:
    """Return the routers that a token may see, which are those it may use."""
    rows = Router.objects.all()
    return rows if context.is_admin else rows.filter(project_id=context.project_id)


def floating_ips(context: RequestContext) -> QuerySet[FloatingIp]:
    """Return the floating addresses that a token may see, which are those it may use."""
    rows = FloatingIp.objects.all()
    return rows if context.is_admin else rows.filter(project_id=context.project_id)


def security_groups(context: RequestContext) -> QuerySet[SecurityGroup]:
    """Return the security groups that a token may see, which are those it may use."""
    return SecurityGroup.objects.all() if context.is_admin else usable_groups(context.project_id)


def usable_groups(project_id: str) -> QuerySet[SecurityGroup]:
    """Return the security groups that a project's ports may have: its own, and those that RBAC policies let it use."""
    mine = Q(project_id=project_id) | Q(id__in=_granted_to(project_id, "security_group"))
    return SecurityGroup.objects.filter(mine)


def rules(context: RequestContext) -> QuerySet[SecurityGroupRule]:
    """Return the rules that a token may see: those of the groups that it sees."""
    mine = Q(group__project_id=context.project_id) | Q(group_id__in=granted(context, "security_group"))
    return SecurityGroupRule.objects.all() if context.is_admin else SecurityGroupRule.objects.filter(mine)


def subnet_pools(context: RequestContext) -> QuerySet[SubnetPool]:
    """Return the pools that a token may see, which are those it may take subnets from."""
    return _shared(context, SubnetPool.objects.all(), "subnetpool")


def address_scopes(context: RequestContext) -> QuerySet[AddressScope]:
    """Return the address scopes that a token may see."""
    return _shared(context, AddressScope.objects.all(), "address_scope")


def qos_policies(context: RequestContext) -> QuerySet[QosPolicy]:
    """Return the QoS policies that a token may see, which are those it may put on networks and ports."""
    return _shared(context, QosPolicy.objects.all(), "qos_policy")


def rbac_policies(context: RequestContext) -> QuerySet[RbacPolicy]:
    """Return the RBAC policies that a token may see: its project's own, and those that name it."""
    mine = Q(project_id=context.project_id) | Q(target_project=context.project_id)
    return RbacPolicy.objects.all() if context.is_admin else RbacPolicy.objects.filter(mine)


def usable_networks(context: RequestContext) -> QuerySet[Network]:
    """Return the networks to which a project may attach without naming one: its own and the shared ones."""
    mine = Q(project_id=context.project_id) | Q(shared=True) | Q(id__in=granted(context, "network"))
    return Network.objects.filter(mine, is_external=False)


def _shared(context: RequestContext, rows: QuerySet[_Row], kind: str) -> QuerySet[_Row]:
    mine = Q(project_id=context.project_id) | Q(shared=True) | Q(id__in=granted(context, kind))
    return rows if context.is_admin else rows.filter(mine)
