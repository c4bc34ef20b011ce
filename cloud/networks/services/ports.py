"""Ports made, changed and removed through the Network API."""

from collections import Counter
from typing import Any

from django.db import IntegrityError, transaction

from cloud.core.context import RequestContext
from cloud.core.errors import PolicyNotAuthorized
from cloud.core.staying import keep
from cloud.networks.errors import (
    BadRequest,
    GroupNotFound,
    MacAddressInUse,
    NetworkNotFound,
    PortBound,
    PortInUse,
    PortSecurityPortHasSecurityGroup,
    ServicePortInUse,
)
from cloud.networks.models import Network, Port, ResourceTag, SecurityGroup
from cloud.networks.models.device_owners import SERVICE
from cloud.networks.selectors import visible
from cloud.networks.selectors.owned import lock_port
from cloud.networks.services import changes, leaving, qos
from cloud.networks.services.address_pairs import pairs
from cloud.networks.services.addresses import AddressWish
from cloud.networks.services.changing import renamed, save_changes
from cloud.networks.services.default_group import default_group_id
from cloud.networks.services.dhcp_options import merged
from cloud.networks.services.forgetting import forget_ports
from cloud.networks.services.plugging import make_port, set_groups
from cloud.networks.services.quotas import make_room
from cloud.networks.services.readdressing import follow_mac, read_wishes, readdress
from cloud.networks.services.tags import set_tags

_COLUMNS = {"binding:host_id": "host", "binding:vnic_type": "vnic_type", "binding:profile": "binding_profile"}
# Not columns, or set with a rule of their own.
_APART = ("tenant_id", "network_id", "fixed_ips", "security_groups", "allowed_address_pairs", "extra_dhcp_opts", "tags")
_OF_SUBNETS = {"mac_address", "fixed_ips"}
# What only the owner of the network, or an admin, may choose.
_NETWORK_OWNERS = ("mac_address", "port_security_enabled", "allowed_address_pairs")


def create_ports(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make ports, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        NetworkNotFound, GroupNotFound, QosPolicyNotFound, PolicyNotAuthorized, OverQuota
        PortSecurityPortHasSecurityGroup, and what `make_port` raises for addresses and MACs
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "port", count)
        if len(wanted) > 1:
            keep(Network.objects.filter(id__in={item["network_id"] for item in wanted}))  # all in the one order
        made = [_create(context, item) for item in wanted]
        changes.note(changes.of_ports(made), is_urgent=False)
        return made


def update_port(context: RequestContext, port_id: str, values: dict[str, Any]) -> None:
    """Change a port by the API's attributes.

    Raises:
        PortNotFound, GroupNotFound, QosPolicyNotFound, PolicyNotAuthorized, PortSecurityPortHasSecurityGroup
        PortInUse: it is a server's interface, and shall be another device's.
        PortBound, MacAddressInUse, IpAddressInUse: for a new MAC, and the addresses that a guest makes of it.
        what `make_port` raises for addresses
    """
    with transaction.atomic():
        if values.keys() & _OF_SUBNETS:
            # No subnet comes or goes meanwhile. Networks are locked before ports.
            keep(Network.objects.filter(id__in=Port.objects.filter(id=port_id).values("network_id")))
        port = lock_port(context, port_id)
        if not context.is_admin and port.project_id != context.project_id:
            raise PolicyNotAuthorized(policy="update_port")
        _check_attributes(context, port.network, values, "update")
        _check_device(port, values)
        before = changes.of_ports([port_id])
        changed = renamed(values, _COLUMNS, without=_APART)
        qos.usable(context, changed.get("qos_policy_id"))
        if "allowed_address_pairs" in values:
            changed["allowed_address_pairs"] = pairs(values["allowed_address_pairs"], port.mac_address)
        if "extra_dhcp_opts" in values:
            changed["extra_dhcp_opts"] = merged(port.extra_dhcp_opts, values["extra_dhcp_opts"])
        if "security_groups" in values:
            set_groups(port, _group_ids(context, port.project_id, values["security_groups"]))
        if "fixed_ips" in values:
            _readdress(port, read_wishes(values["fixed_ips"], is_gateway=port.is_held))
        _save(port, changed)
        _check_security(port, has_groups=port.security_groups.exists())
        changes.note(before | changes.of_ports([port_id]))


def delete_port(context: RequestContext, port_id: str) -> None:
    """Remove a port, also one that a server uses: the server loses the interface.

    The row of a server's port stays until its host has let go of it; nobody is shown it from now on.

    Raises:
        PortNotFound
        ServicePortInUse: it belongs to the network service.
    """
    with transaction.atomic():
        must_stay = leaving.begin(context, port_id)
        port = lock_port(context, port_id)
        if port.is_held:
            raise ServicePortInUse(port_id=port_id, device_owner=port.device_owner)
        ResourceTag.objects.filter(resource_id=port_id).delete()
        forget_ports([port_id])
        changes.note(changes.of_ports([port_id]))
        if must_stay:
            leaving.keep(port)
        else:
            port.delete()


def _create(context: RequestContext, item: dict[str, Any]) -> str:
    network = visible.networks(context).filter(id=item["network_id"]).first()
    if network is None:
        raise NetworkNotFound(network_id=item["network_id"])
    if not (_owns(context, network) or visible.is_shared_with(context, network)):
        raise PolicyNotAuthorized(policy="create_port")
    _check_attributes(context, network, item, "create")
    columns = {"port_security_enabled": network.port_security_enabled, **renamed(item, _COLUMNS, without=_APART)}
    qos.usable(context, columns.get("qos_policy_id"))
    port = Port(network=network, **columns)
    port.mac_address = port.mac_address.lower()
    port.extra_dhcp_opts = merged([], item.get("extra_dhcp_opts", []))
    groups = item.get("security_groups")
    if groups is None:
        group_ids = [default_group_id(port.project_id)] if port.port_security_enabled else []
    else:
        group_ids = _group_ids(context, port.project_id, groups)
    wishes = read_wishes(item["fixed_ips"]) if "fixed_ips" in item else None
    make_port(port, wishes, group_ids)
    if item.get("allowed_address_pairs"):
        port.allowed_address_pairs = pairs(item["allowed_address_pairs"], port.mac_address)
        port.save(update_fields=["allowed_address_pairs"])
    _check_security(port, has_groups=bool(group_ids))
    set_tags(port.id, item.get("tags", []))
    return port.id


def _owns(context: RequestContext, network: Network) -> bool:
    return context.is_admin or network.project_id == context.project_id


def _check_attributes(context: RequestContext, network: Network, values: dict[str, Any], verb: str) -> None:
    if _owns(context, network):
        return
    refused = [name for name in _NETWORK_OWNERS if name in values]
    if any(wish.get("ip_address") for wish in values.get("fixed_ips", ())):
        refused.append("fixed_ips:ip_address")
    if values.get("device_owner", "").startswith(SERVICE):
        refused.append("device_owner")
    if refused:
        raise PolicyNotAuthorized(policy=f"{verb}_port:{refused[0]}")


def _check_device(port: Port, values: dict[str, Any]) -> None:
    is_other = any(values.get(name, getattr(port, name)) != getattr(port, name)
                   for name in ("device_id", "device_owner"))
    if is_other and (port.position != Port.NO_POSITION or port.is_held):
        raise PortInUse(port_id=port.id, device_id=port.device_id)


def _check_security(port: Port, *, has_groups: bool) -> None:
    if not port.port_security_enabled and (has_groups or port.allowed_address_pairs):
        raise PortSecurityPortHasSecurityGroup(port_id=port.id)


def _group_ids(context: RequestContext, project_id: str, asked: list[str]) -> list[str]:
    """Return groups that a port of a project may have. Raises GroupNotFound."""
    rows = SecurityGroup.objects.all() if context.is_admin else visible.usable_groups(project_id)
    known = set(rows.filter(id__in=asked).values_list("id", flat=True))
    for group_id in asked:
        if group_id not in known:
            raise GroupNotFound(group_id=group_id)
    return asked


def _readdress(port: Port, wishes: list[AddressWish]) -> None:
    """Give a port other addresses. Raises BadRequest where a router would stand in other subnets than it was put in."""
    before = set(port.fixed_ips.values_list("subnet_id", flat=True))
    if port.floating_ip_id is not None:
        raise BadRequest(f"Port {port.id} holds a floating IP; its addresses cannot change.")
    readdress(port, wishes)
    if port.is_held and set(port.fixed_ips.values_list("subnet_id", flat=True)) != before:
        raise BadRequest(f"Port {port.id} is a router's; it stays in its subnets: use the router's own interfaces.")


def _save(port: Port, changed: dict[str, Any]) -> None:
    mac = changed.get("mac_address", port.mac_address).lower()
    if mac == port.mac_address:
        save_changes(port, {name: value for name, value in changed.items() if name != "mac_address"})
        return
    if port.host:
        raise PortBound(port_id=port.id)
    before = port.mac_address
    try:
        with transaction.atomic():
            save_changes(port, {**changed, "mac_address": mac})
    except IntegrityError:
        raise MacAddressInUse(network_id=port.network_id, mac=mac) from None
    follow_mac(port, before)
