"""Floating addresses made, led to fixed addresses, and given back.

Locks are taken in one order: the router, the port, the floating address.
"""

from collections import Counter
from typing import Any

from django.db import IntegrityError, transaction

from cloud.core.context import RequestContext
from cloud.core.models import new_uuid
from cloud.networks.errors import (
    BadRequest,
    ExternalNetworkUnreachable,
    FixedIpHasFloatingIp,
    NetworkNotFound,
    PortNotFound,
)
from cloud.networks.models import FixedIp, FloatingIp, Network, Port, ResourceTag, Router
from cloud.networks.models.device_owners import FLOATING_IP
from cloud.networks.selectors import visible
from cloud.networks.selectors.owned import lock_floating_ip
from cloud.networks.selectors.routing import router_between
from cloud.networks.services import changes
from cloud.networks.services.addresses import AddressWish
from cloud.networks.services.changing import save_changes
from cloud.networks.services.plugging import make_port
from cloud.networks.services.quotas import make_room
from cloud.networks.services.router_gateways import require_external
from cloud.networks.services.tags import set_tags


def create_floating_ips(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make floating addresses, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        NetworkNotFound, OverQuota
        BadRequest: the network is not external or has no IPv4 subnet.
        IpAddressGenerationFailure, IpAddressInUse, InvalidIpForNetwork, InvalidIpForSubnet, InvalidInput
        what `update_floating_ip` raises for the port
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "floatingip", count)
        return [_create(context, item) for item in wanted]


def update_floating_ip(context: RequestContext, floating_ip_id: str, values: dict[str, Any]) -> None:
    """Lead a floating address somewhere else, or nowhere: `port_id` None, or absent beside nothing else.

    Raises:
        FloatingIpNotFound, PortNotFound
        BadRequest: the port has no such address, or several and none is named, or is another project's.
        ExternalNetworkUnreachable: no router leads there.
        FixedIpHasFloatingIp
    """
    with transaction.atomic():
        # Whose it is, before any lock that somebody else may hold.
        floating = visible.floating_ips(context).filter(id=floating_ip_id).first()
        target = _target(context, floating, values) if floating is not None else None
        floating = lock_floating_ip(context, floating_ip_id)
        before = _led_now([floating_ip_id])
        changed = {name: values[name] for name in ("description",) if name in values}
        if "port_id" in values or "fixed_ip_address" in values:
            changed |= _led(target)
        _save(floating, changed, target)
        changes.note(before | _led_now([floating_ip_id]))


def delete_floating_ip(context: RequestContext, floating_ip_id: str) -> None:
    """Give a floating address back. Raises FloatingIpNotFound."""
    with transaction.atomic():
        _remove([lock_floating_ip(context, floating_ip_id).id])


def delete_idle(network: Network) -> None:
    """Give back the floating addresses of a network that lead nowhere, because the network goes."""
    idle = FloatingIp.objects.filter(network=network, fixed_ip__isnull=True).select_for_update().order_by("id")
    _remove(list(idle.values_list("id", flat=True)))


def _led_now(ids: list[str]) -> set[changes.Change]:
    return changes.of_floating_ips(FloatingIp.objects.filter(id__in=ids))


def _remove(ids: list[str]) -> None:
    changes.note(_led_now(ids))
    ResourceTag.objects.filter(resource_id__in=ids).delete()
    Port.objects.filter(floating_ip__in=ids).delete()
    FloatingIp.objects.filter(id__in=ids).delete()


def _create(context: RequestContext, item: dict[str, Any]) -> str:
    network = _external(context, item["floating_network_id"])
    floating = FloatingIp(id=new_uuid(), network=network, project_id=item["project_id"],
                          description=item.get("description", ""))
    target = _target(context, floating, item)
    draft = Port(network=network, project_id="", device_id=floating.id, device_owner=FLOATING_IP, status="N/A",
                 port_security_enabled=False)
    port = make_port(draft, [_wish(network, item)], ())
    require_external(network)
    floating.floating_ip_address = FixedIp.objects.get(port=port).ip_address
    if target is not None:
        floating.fixed_ip, floating.router = target
    _insert(floating, target)
    Port.objects.filter(id=port.id).update(floating_ip=floating)
    set_tags(floating.id, item.get("tags", []))
    changes.note(_led_now([floating.id]))
    return floating.id


def _external(context: RequestContext, network_id: str) -> Network:
    network = visible.networks(context).filter(id=network_id).first()
    if network is None:
        raise NetworkNotFound(network_id=network_id)
    if not network.is_external:
        raise BadRequest(f"Bad floatingip request: Network {network_id} is not a valid external network.")
    return network


def _wish(network: Network, item: dict[str, Any]) -> AddressWish:
    if not network.subnets.filter(ip_version=4).exists():
        raise BadRequest(f"Bad floatingip request: Network {network.id} does not contain any IPv4 subnet.")
    return AddressWish(item.get("subnet_id") or "", item.get("floating_ip_address") or "", version=4)


def _target(context: RequestContext, floating: FloatingIp, values: dict[str, Any]) -> tuple[FixedIp, Router] | None:
    """Return where a floating address shall lead and through which router, both locked; None for nowhere."""
    port_id = values.get("port_id")
    address = values.get("fixed_ip_address")
    if not port_id:
        if not address:
            return None
        if "port_id" in values or floating.fixed_ip_id is None:
            raise BadRequest("Bad floatingip request: fixed_ip_address cannot be specified without a port_id.")
        port_id = floating.fixed_ip.port_id
    port = visible.ports(context).filter(id=port_id).first()
    if port is None:
        raise PortNotFound(port_id=port_id)
    if port.project_id != floating.project_id:
        raise BadRequest(
            f"Bad floatingip request: Port {port_id} is associated with a different tenant than Floating IP "
            f"{floating.id} and therefore cannot be bound."
        )
    fixed = _fixed_ip(port, address)
    return fixed, _lock_way(fixed, floating.network)


def _fixed_ip(port: Port, address: str | None) -> FixedIp:
    rows = list(FixedIp.objects.filter(port=port).select_related("subnet").order_by("id"))
    held = [fixed for fixed in rows if fixed.subnet.ip_version == 4]
    named = [fixed for fixed in held if fixed.ip_address == address]
    if address and not named:
        raise BadRequest(f"Bad floatingip request: Port {port.id} does not have fixed ip {address}.")
    if not held:
        raise BadRequest(
            f"Bad floatingip request: Cannot add floating IP to port {port.id} that has no fixed IPv4 addresses."
        )
    if not address and len(held) > 1:
        raise BadRequest(
            f"Bad floatingip request: Port {port.id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 "
            "address when assigning a floating IP."
        )
    return named[0] if address else held[0]


def _lock_way(fixed: FixedIp, external: Network) -> Router:
    """Return the router to a fixed address and lock both: the way is still there when the transaction ends."""
    found = router_between(fixed.subnet, external)
    if found is not None:
        Router.objects.select_for_update().filter(id=found.id).first()
        Port.objects.select_for_update().filter(id=fixed.port_id).first()
        is_there = FixedIp.objects.filter(pk=fixed.pk).exists()
        if is_there and router_between(fixed.subnet, external) == found:
            return found
    raise ExternalNetworkUnreachable(
        network_id=external.id, subnet_id=fixed.subnet_id, port_id=fixed.port_id
    )


def _led(target: tuple[FixedIp, Router] | None) -> dict[str, Any]:
    return {"fixed_ip": target[0] if target else None, "router": target[1] if target else None}


def _insert(floating: FloatingIp, target: tuple[FixedIp, Router] | None) -> None:
    try:
        with transaction.atomic():
            floating.save(force_insert=True)
    except IntegrityError:
        raise _taken(floating, target) from None


def _save(floating: FloatingIp, changed: dict[str, Any], target: tuple[FixedIp, Router] | None) -> None:
    try:
        with transaction.atomic():
            save_changes(floating, changed)
    except IntegrityError:
        raise _taken(floating, target) from None


def _taken(floating: FloatingIp, target: tuple[FixedIp, Router] | None) -> Exception:
    """Return the error for a fixed address that has a floating address of the same network already."""
    if target is None:
        return BadRequest(f"Bad floatingip request: {floating.floating_ip_address} is in the books already.")
    return FixedIpHasFloatingIp(floating_ip=floating.floating_ip_address, port_id=target[0].port_id,
                                fixed_ip=target[0].ip_address, network_id=floating.network_id)
