"""Which rows a token may see, and which it may change. An admin sees and changes all.

A network is seen by its project, and by everyone if it is shared or external; what stands in it is seen by its own
project and, for ports, by the network's too.
"""

from django.db.models import Q, QuerySet

from cloud.core.context import RequestContext
from cloud.networks.models import (
    AddressScope,
    FloatingIp,
    Network,
    Port,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
)


def networks(context: RequestContext) -> QuerySet[Network]:
    """Return the networks that a token may see."""
    mine = Q(project_id=context.project_id) | Q(shared=True) | Q(is_external=True)
    return Network.objects.all() if context.is_admin else Network.objects.filter(mine)


def subnets(context: RequestContext) -> QuerySet[Subnet]:
    """Return the subnets that a token may see."""
    mine = Q(project_id=context.project_id) | Q(network__shared=True)
    return Subnet.objects.all() if context.is_admin else Subnet.objects.filter(mine)


def ports(context: RequestContext) -> QuerySet[Port]:
    """Return the ports that a token may see."""
    mine = Q(project_id=context.project_id) | Q(network__project_id=context.project_id)
    return Port.objects.all() if context.is_admin else Port.objects.filter(mine)


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
    rows = SecurityGroup.objects.all()
    return rows if context.is_admin else rows.filter(project_id=context.project_id)


def rules(context: RequestContext) -> QuerySet[SecurityGroupRule]:
    """Return the rules that a token may see: those of its groups."""
    rows = SecurityGroupRule.objects.all()
    return rows if context.is_admin else rows.filter(group__project_id=context.project_id)


def subnet_pools(context: RequestContext) -> QuerySet[SubnetPool]:
    """Return the pools that a token may see, which are those it may take subnets from."""
    rows = SubnetPool.objects.all()
    return rows if context.is_admin else rows.filter(Q(project_id=context.project_id) | Q(shared=True))


def address_scopes(context: RequestContext) -> QuerySet[AddressScope]:
    """Return the address scopes that a token may see."""
    rows = AddressScope.objects.all()
    return rows if context.is_admin else rows.filter(Q(project_id=context.project_id) | Q(shared=True))


def usable_networks(context: RequestContext) -> QuerySet[Network]:
    """Return the networks to which a project may attach without naming one: its own and the shared ones."""
    return Network.objects.filter(Q(project_id=context.project_id) | Q(shared=True), is_external=False)
