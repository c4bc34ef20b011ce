"""Addresses and security groups of a server, which are those of its interfaces.

The network service's refusals are answered in Nova's words.
"""

from cloud.compute.errors.networks import (
    FixedIpElsewhere,
    FloatingIpElsewhere,
    FloatingIpUnknown,
    GroupElsewhere,
    GroupUnknown,
    NetworkElsewhere,
    NoFixedIpLeft,
    NoInterface,
)
from cloud.compute.models import Instance
from cloud.compute.services.locks import check_lock
from cloud.core.context import RequestContext
from cloud.core.errors import Conflict, Invalid, NotFound
from cloud.networks.errors import IpAddressGenerationFailure, SecurityGroupUnknown
from cloud.networks.selectors import Interface, interfaces
from cloud.networks.selectors.floating import LedFloatingIp, floating_ip_at
from cloud.networks.services import floating_ips, more_addresses, port_groups
from cloud.networks.services.requests import group_named


def add_fixed_ip(context: RequestContext, instance: Instance, network_id: str) -> None:
    """Give a server one more address in a network that it is in already.

    Raises:
        InstanceLocked
        NetworkElsewhere: it has no interface there, or the network no subnet.
        NoFixedIpLeft
    """
    check_lock(context, instance)
    try:
        is_given = more_addresses.add(instance.uuid, network_id)
    except IpAddressGenerationFailure as error:
        raise NoFixedIpLeft(network_id=network_id) from error
    if not is_given:
        raise NetworkElsewhere(uuid=instance.uuid)


def remove_fixed_ip(context: RequestContext, instance: Instance, address: str) -> None:
    """Take an address from a server. Raises InstanceLocked, FixedIpElsewhere."""
    check_lock(context, instance)
    if not more_addresses.remove(instance.uuid, address):
        raise FixedIpElsewhere(address=address, uuid=instance.uuid)


def add_floating_ip(context: RequestContext, instance: Instance, address: str, fixed_address: str = "") -> None:
    """Let a floating address of the project lead to a server, wherever it led before.

    Raises:
        FloatingIpUnknown
        NoInterface: the server has no IPv4 address, or not this one.
        Invalid: no router leads there, or another floating address does already.
    """
    found = _floating(context, address)
    port_id, fixed = _fixed(instance, _interfaces(instance), fixed_address)
    try:
        floating_ips.update_floating_ip(context, found.id, {"port_id": port_id, "fixed_ip_address": fixed})
    except (Conflict, NotFound) as error:
        raise Invalid(f"Unable to associate floating IP {address} to fixed IP {fixed}: {error.message}") from error


def remove_floating_ip(context: RequestContext, instance: Instance, address: str) -> None:
    """Let a floating address lead nowhere. Raises FloatingIpUnknown, FloatingIpElsewhere."""
    found = _floating(context, address)
    if found.device_id != instance.uuid:
        raise FloatingIpElsewhere(address=address, uuid=instance.uuid)
    floating_ips.update_floating_ip(context, found.id, {"port_id": None})


def add_security_group(instance: Instance, name: str) -> None:
    """Put a server's interfaces into a security group of its project, by name or id.

    Raises:
        GroupUnknown, SecurityGroupAmbiguous
        NoInterface: no interface can be in a group.
    """
    group_id = _group(instance, name)
    if not port_groups.add(instance.uuid, group_id):
        raise NoInterface(uuid=instance.uuid)


def remove_security_group(instance: Instance, name: str) -> None:
    """Take a server's interfaces out of a security group. Raises GroupUnknown, GroupElsewhere."""
    group_id = _group(instance, name)
    if not port_groups.remove(instance.uuid, group_id):
        raise GroupElsewhere(group=name, uuid=instance.uuid)


def _interfaces(instance: Instance) -> list[Interface]:
    return interfaces([instance.uuid]).get(instance.uuid, [])


def _fixed(instance: Instance, held: list[Interface], wanted: str) -> tuple[str, str]:
    """Return port and address that a floating address shall lead to: the first of IPv4 where none is named."""
    for one in held:
        for address in one.addresses:
            if address.version == 4 and wanted in ("", address.ip):
                return one.port_id, address.ip
    raise NoInterface(f"Specified fixed address {wanted} not assigned to instance" if wanted else "",
                        uuid=instance.uuid)


def _floating(context: RequestContext, address: str) -> LedFloatingIp:
    found = floating_ip_at(context, address)
    if found is None:
        raise FloatingIpUnknown(address=address)
    return found


def _group(instance: Instance, name: str) -> str:
    try:
        return group_named(instance.project_id, name)
    except SecurityGroupUnknown as error:
        raise GroupUnknown(error.message) from error
