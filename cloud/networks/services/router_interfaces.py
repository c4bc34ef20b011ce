"""A router's interfaces: ports by which it stands in the networks of its project.

Each operation locks the router first, so that two which cannot both be true do not both find room.

Source: https://docs.openstack.org/api-ref/network/v2/#add-interface-to-router
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.core.errors import PolicyNotAuthorized
from cloud.networks.errors import (
    BadRequest,
    InterfaceInUseByFloatingIp,
    InterfaceInUseByRoute,
    PortInUse,
    PortNotFound,
    RouterInterfaceNotFound,
    RouterInterfaceNotFoundForSubnet,
    RouterNotFound,
    SubnetMismatchForPort,
    SubnetNotFound,
)
from cloud.networks.models import FixedIp, FloatingIp, Port, ResourceTag, Router, Subnet
from cloud.networks.models.device_owners import ROUTER_GATEWAY, ROUTER_INTERFACE
from cloud.networks.selectors import visible
from cloud.networks.selectors.owned import lock_router
from cloud.networks.selectors.routing import addresses, interfaces, overlapping
from cloud.networks.services.addresses import AddressWish
from cloud.networks.services.changing import save_changes
from cloud.networks.services.plugging import give_addresses, make_port
from cloud.networks.services.quotas import make_room
from cloud.networks.services.router_gateways import overlap
from cloud.networks.services.router_places import settle


@dataclass(frozen=True)
class Attachment:
    """An interface that was added or removed."""

    project_id: str
    port_id: str
    network_id: str
    subnet_ids: tuple[str, ...]


def add_subnet(context: RequestContext, router_id: str, subnet_id: str) -> Attachment:
    """Let a router be the gateway of a subnet.

    Raises:
        RouterNotFound, SubnetNotFound, OverQuota
        PolicyNotAuthorized: the subnet's network is another project's.
        BadRequest: the subnet has no gateway, or the router is in it or in one that overlaps it.
        IpAddressInUse: somebody has the gateway's address.
    """
    with transaction.atomic():
        subnet = _subnet(context, subnet_id)
        make_room(_project_of(context, router_id), "port")
        router = lock_router(context, router_id)
        if not subnet.gateway_ip:
            raise BadRequest("Bad router request: Subnet for router interface must have a gateway IP.")
        _refuse_twins(router, [subnet])
        wish = AddressWish(subnet.id, subnet.gateway_ip, is_gateway=True)
        port = _ipv6_port(router, subnet)
        if port is None:
            draft = Port(network=subnet.network, project_id=router.project_id, device_id=router.id,
                         device_owner=ROUTER_INTERFACE, router=router, status="ACTIVE", port_security_enabled=False)
            port = make_port(draft, [wish], ())
        else:
            give_addresses(port, [wish])
        save_changes(router, {})
        settle(router, [port.network_id])
    return Attachment(router.project_id, port.id, port.network_id, (subnet.id,))


def add_port(context: RequestContext, router_id: str, port_id: str) -> Attachment:
    """Make a project's port a router's interface, with the addresses that it has.

    Raises:
        RouterNotFound, PortNotFound
        PortInUse: it has a device.
        BadRequest: it has no address, two of IPv4, or the router is in its subnets already.
    """
    with transaction.atomic():
        router = lock_router(context, router_id)
        rows = visible.ports(context).select_for_update(of=("self",))
        if not context.is_admin:
            rows = rows.filter(project_id=context.project_id)
        port = rows.filter(id=port_id).first()
        if port is None:
            raise PortNotFound(port_id=port_id)
        if port.device_id or port.is_held:
            raise PortInUse(port_id=port_id, device_id=port.device_id)
        subnets = [fixed.subnet for fixed in port.fixed_ips.select_related("subnet").order_by("id")]
        _refuse_addresses(subnets)
        _refuse_twins(router, subnets)
        save_changes(port, {"device_id": router.id, "device_owner": ROUTER_INTERFACE, "router": router,
                            "status": "ACTIVE"})
        save_changes(router, {})
        settle(router, [port.network_id])
    return Attachment(router.project_id, port.id, port.network_id, tuple(subnet.id for subnet in subnets))


def remove_interface(context: RequestContext, router_id: str, port_id: str = "", subnet_id: str = "") -> Attachment:
    """Take a router out of a subnet, or its interface away; at least one of the two is given.

    Raises:
        RouterNotFound, RouterInterfaceNotFound, RouterInterfaceNotFoundForSubnet
        SubnetMismatchForPort: the port is not in the subnet.
        InterfaceInUseByFloatingIp, InterfaceInUseByRoute
    """
    with transaction.atomic():
        router = lock_router(context, router_id)
        port = _find(router, port_id, subnet_id)
        held = list(port.fixed_ips.select_related("subnet").order_by("id"))
        gone = [fixed for fixed in held if port_id or fixed.subnet_id == subnet_id]
        _refuse_use(router, [fixed.subnet for fixed in gone])
        if len(gone) == len(held):
            ResourceTag.objects.filter(resource_id=port.id).delete()
            Port.objects.filter(id=port.id).delete()
        else:
            FixedIp.objects.filter(id__in=[fixed.pk for fixed in gone]).delete()
        save_changes(router, {})
        settle(router, [port.network_id])
    subnet_ids = (subnet_id,) if subnet_id else tuple(fixed.subnet_id for fixed in gone)
    return Attachment(router.project_id, port.id, port.network_id, subnet_ids)


def _project_of(context: RequestContext, router_id: str) -> str:
    found = visible.routers(context).filter(id=router_id).values_list("project_id", flat=True).first()
    if found is None:
        raise RouterNotFound(router_id=router_id)
    return found


def _subnet(context: RequestContext, subnet_id: str) -> Subnet:
    subnet = visible.subnets(context).select_related("network").filter(id=subnet_id).first()
    if subnet is None:
        raise SubnetNotFound(subnet_id=subnet_id)
    if not context.is_admin and subnet.network.project_id != context.project_id:
        # Who shares a network does not give its gateway away with it; a port of one's own does.
        raise PolicyNotAuthorized(policy="add_router_interface:subnet_id")
    return subnet


def _ipv6_port(router: Router, subnet: Subnet) -> Port | None:
    """Return the port that serves another IPv6 subnet of the same network, to which a further prefix is added."""
    if subnet.ip_version != 6:
        return None
    found = interfaces(router).filter(network=subnet.network_id, fixed_ips__subnet__ip_version=6)
    return found.exclude(fixed_ips__subnet__ip_version=4).select_for_update(of=("self",)).first()


def _refuse_addresses(subnets: Sequence[Subnet]) -> None:
    if not subnets:
        raise BadRequest("Bad router request: Router port must have at least one fixed IP.")
    if sum(subnet.ip_version == 4 for subnet in subnets) > 1:
        raise BadRequest("Bad router request: Cannot have multiple IPv4 subnets on router port.")


def _refuse_twins(router: Router, subnets: Sequence[Subnet]) -> None:
    others = [fixed.subnet for fixed in addresses(router)]
    for subnet in subnets:
        if any(subnet.id == other.id for other in others):
            raise BadRequest(f"Bad router request: Router already has a port on subnet {subnet.id}.")
        twin = overlapping(subnet, others)
        if twin is not None:
            raise BadRequest(overlap(subnet, twin))


def _find(router: Router, port_id: str, subnet_id: str) -> Port:
    mine = Port.objects.filter(router=router).exclude(device_owner=ROUTER_GATEWAY).select_for_update(of=("self",))
    if port_id:
        port = mine.filter(id=port_id).first()
        if port is None:
            raise RouterInterfaceNotFound(router_id=router.id, port_id=port_id)
        if subnet_id and not port.fixed_ips.filter(subnet=subnet_id).exists():
            raise SubnetMismatchForPort(port_id=port_id, subnet_id=subnet_id)
        return port
    port = mine.filter(id__in=FixedIp.objects.filter(subnet=subnet_id).values("port_id")).first()
    if port is None:
        raise RouterInterfaceNotFoundForSubnet(router_id=router.id, subnet_id=subnet_id)
    return port


def _refuse_use(router: Router, subnets: Sequence[Subnet]) -> None:
    for subnet in subnets:
        if FloatingIp.objects.filter(router=router, fixed_ip__subnet=subnet).exists():
            raise InterfaceInUseByFloatingIp(router_id=router.id, subnet_id=subnet.id)
        block = ipaddress.ip_network(subnet.cidr)
        if any(ipaddress.ip_address(route["nexthop"]) in block for route in router.routes):
            raise InterfaceInUseByRoute(router_id=router.id, subnet_id=subnet.id)
