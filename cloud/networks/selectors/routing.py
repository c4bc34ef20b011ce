"""How subnets and routers hang together: what a router reaches, and which router leads from a subnet to the outside."""

import ipaddress
from collections.abc import Sequence

from django.db.models import Case, IntegerField, QuerySet, Value, When

from cloud.networks.models import FixedIp, Network, Port, Router, Subnet
from cloud.networks.models.device_owners import ROUTER_GATEWAY, ROUTER_INTERFACE


def gateway_port(router: Router) -> Port | None:
    """Return the port by which a router reaches its external network, with the network."""
    return Port.objects.filter(router=router, device_owner=ROUTER_GATEWAY).select_related("network").first()


def interfaces(router: Router) -> QuerySet[Port]:
    """Return the ports by which a router stands in its project's networks."""
    return Port.objects.filter(router=router, device_owner=ROUTER_INTERFACE).order_by("created_at", "id")


def addresses(router: Router) -> list[FixedIp]:
    """Return all addresses of a router with their subnets."""
    return list(FixedIp.objects.filter(port__router=router).select_related("subnet", "port").order_by("id"))


def overlapping(subnet: Subnet, others: Sequence[Subnet]) -> Subnet | None:
    """Return the first of other subnets that has addresses of this one."""
    block = ipaddress.ip_network(subnet.cidr)
    blocks = ((other, ipaddress.ip_network(other.cidr)) for other in others if other.ip_version == subnet.ip_version)
    return next((other for other, cidr in blocks if block.overlaps(cidr)), None)  # type: ignore[arg-type]  # one version


def router_between(subnet: Subnet, external: Network) -> Router | None:
    """Return the router from a subnet to an external network: of several, the one that the subnet's guests use."""
    inside = FixedIp.objects.filter(subnet=subnet, port__device_owner=ROUTER_INTERFACE, port__router__isnull=False)
    outside = Port.objects.filter(network=external, device_owner=ROUTER_GATEWAY, router__isnull=False)
    is_default = Case(When(ip_address=subnet.gateway_ip, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = inside.filter(port__router__in=outside.values("router_id")).order_by(is_default, "port__router_id")
    first = found.select_related("port__router").first()
    return first.port.router if first else None
