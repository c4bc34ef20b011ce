"""Subnets made, changed and removed."""

import ipaddress
from collections import Counter
from typing import Any

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.core.errors import PolicyNotAuthorized
from cloud.networks.errors import GatewayIpInUse, InvalidInput, NetworkNotFound, SubnetInUse
from cloud.networks.models import FixedIp, Network, ResourceTag, Subnet
from cloud.networks.selectors import visible
from cloud.networks.selectors.owned import lock_subnet
from cloud.networks.services import blocks, changes
from cloud.networks.services.addresses import is_self_addressed
from cloud.networks.services.carriers import is_advertised, is_only_leased
from cloud.networks.services.changing import save_changes
from cloud.networks.services.plugging import give_self_made
from cloud.networks.services.pool_blocks import choose_block
from cloud.networks.services.quotas import make_room

_PLAIN = ("name", "description", "enable_dhcp", "dns_nameservers", "service_types")
# Of which hosts must hear: a router's next hop, and what guests are told by DHCP and advertisements.
_TOLD = ("enable_dhcp", "dns_nameservers", "host_routes", "gateway_ip")


def create_subnets(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make subnets, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        NetworkNotFound, PolicyNotAuthorized: the network is not the token's.
        InvalidInput and the pools' errors: the addresses do not make a subnet of this network.
        what `pool_blocks.choose_block` raises
        OverQuota
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "subnet", count)
        if len(wanted) > 1:
            asked = Network.objects.filter(id__in={item["network_id"] for item in wanted})
            list(asked.select_for_update().order_by("id").values_list("id"))  # all in the one order
        return [_create(context, item) for item in wanted]


def update_subnet(context: RequestContext, subnet_id: str, values: dict[str, Any]) -> None:
    """Change a subnet by the API's attributes.

    Raises:
        SubnetNotFound, GatewayIpInUse, InvalidInput and the pools' errors
    """
    with transaction.atomic():
        subnet = lock_subnet(context, subnet_id)
        block = ipaddress.ip_network(subnet.cidr)
        changed = {name: values[name] for name in _PLAIN if name in values}
        if "host_routes" in values:
            changed["host_routes"] = _routes(values["host_routes"])
        if changed.get("enable_dhcp"):
            blocks.check_dhcp(block)
        if changed.get("enable_dhcp") is False and (subnet.ipv6_ra_mode or subnet.ipv6_address_mode):
            raise InvalidInput(reason="Cannot disable enable_dhcp with ipv6 attributes set")
        if "dns_nameservers" in changed:
            changed["dns_nameservers"] = _distinct_servers(changed["dns_nameservers"])
        gateway = _new_gateway(subnet, block, values)
        pools = values.get("allocation_pools", subnet.allocation_pools)
        changed |= {"gateway_ip": gateway, "allocation_pools": blocks.check_pools(block, pools, gateway)}
        if any(changed.get(name, getattr(subnet, name)) != getattr(subnet, name) for name in _TOLD):
            changes.note([changes.of_network(subnet.network_id)])
        save_changes(subnet, changed)


def delete_subnet(context: RequestContext, subnet_id: str) -> None:
    """Remove a subnet.

    Raises:
        SubnetNotFound
        SubnetInUse: a port has an address of it; where guests make their own addresses, a router has one.
    """
    with transaction.atomic():
        # Whoever is about to give an address of it keeps the network, and is done before we look who has one.
        of_subnet = Network.objects.filter(id__in=Subnet.objects.filter(id=subnet_id).values("network_id"))
        of_subnet.select_for_update().first()
        subnet = lock_subnet(context, subnet_id)
        held = FixedIp.objects.filter(subnet=subnet)
        # Where guests make their own addresses nobody has asked for one: they go with the prefix.
        if (held.filter(port__router__isnull=False) if is_self_addressed(subnet) else held).exists():
            raise SubnetInUse(subnet_id=subnet_id)
        held.delete()
        if _is_told_to_hosts(subnet):
            changes.note([changes.of_network(subnet.network_id)])
        ResourceTag.objects.filter(resource_id=subnet_id).delete()
        subnet.delete()


def _create(context: RequestContext, item: dict[str, Any]) -> str:
    network = _network(context, item["network_id"])
    block, pool_id = choose_block(context, network, item)
    _refuse_overlap(network, block)
    has_dhcp = item.get("enable_dhcp", True)
    if has_dhcp:
        blocks.check_dhcp(block)
    modes = {name: item.get(name) or "" for name in ("ipv6_ra_mode", "ipv6_address_mode")}
    blocks.check_modes(block, modes["ipv6_ra_mode"], modes["ipv6_address_mode"], has_dhcp=has_dhcp)
    gateway = item.get("gateway_ip", blocks.default_gateway(block))
    gateway = blocks.check_gateway(block, gateway) if gateway else ""
    pools = item.get("allocation_pools")
    subnet = Subnet.objects.create(
        network=network,
        project_id=item["project_id"],
        name=item.get("name", ""),
        description=item.get("description", ""),
        cidr=str(block),
        subnetpool_id=pool_id,
        ip_version=block.version,
        gateway_ip=gateway,
        enable_dhcp=has_dhcp,
        allocation_pools=blocks.check_pools(block, pools, gateway) if pools else blocks.default_pools(block, gateway),
        dns_nameservers=_distinct_servers(item.get("dns_nameservers") or []),
        host_routes=_routes(item.get("host_routes") or []),
        service_types=item.get("service_types") or [],
        **modes,
    )
    if _is_told_to_hosts(subnet):
        changes.note([changes.of_network(network.id)])
    if is_self_addressed(subnet):
        changes.note(changes.of_ports(give_self_made(subnet)))
    return subnet.id


def _is_told_to_hosts(subnet: Subnet) -> bool:
    return is_advertised(subnet) or is_only_leased(subnet)


def _network(context: RequestContext, network_id: str) -> Network:
    """Return the network, locked so that two overlapping subnets cannot both see room for themselves."""
    network = visible.networks(context).select_for_update(of=("self",)).filter(id=network_id).first()
    if network is None:
        raise NetworkNotFound(network_id=network_id)
    if not context.is_admin and network.project_id != context.project_id:
        raise PolicyNotAuthorized(policy="create_subnet")
    return network


def _refuse_overlap(network: Network, block: blocks.Block) -> None:
    cidrs = network.subnets.filter(ip_version=block.version).values_list("cidr", flat=True)
    if any(block.overlaps(ipaddress.ip_network(cidr)) for cidr in cidrs):  # type: ignore[arg-type]  # one version
        raise InvalidInput(
            reason=f"Requested subnet with cidr: {block} for network: {network.id} overlaps with another subnet"
        )


def _new_gateway(subnet: Subnet, block: blocks.Block, values: dict[str, Any]) -> str:
    asked = values.get("gateway_ip", subnet.gateway_ip)
    gateway = blocks.check_gateway(block, asked) if asked else ""
    if gateway != subnet.gateway_ip:
        # The old one may be a router's port, the new one a guest's; neither may change hands.
        addresses = FixedIp.objects.filter(subnet=subnet, ip_address__in=[subnet.gateway_ip, gateway])
        held = addresses.first()
        if held is not None:
            raise GatewayIpInUse(ip_address=held.ip_address, port_id=held.port_id)
    return gateway


def _distinct_servers(servers: list[str]) -> list[str]:
    canonical = [str(ipaddress.ip_address(server)) for server in servers]
    if len(set(canonical)) < len(canonical):
        raise InvalidInput(reason="dns_nameservers has the same server twice")
    return canonical


def _routes(routes: list[dict[str, str]]) -> list[dict[str, str]]:
    found = []
    for route in routes:
        destination = ipaddress.ip_network(route["destination"], strict=False)
        nexthop = ipaddress.ip_address(route["nexthop"])
        if destination.version != nexthop.version:
            raise InvalidInput(reason=f"host route {destination} cannot go by {nexthop}: the IP versions differ")
        found.append({"destination": str(destination), "nexthop": str(nexthop)})
    if len({(route["destination"], route["nexthop"]) for route in found}) < len(found):
        raise InvalidInput(reason="host_routes has the same route twice")
    return found
