"""What a request for a server may ask of the network, and what it means.

Source: https://docs.openstack.org/api-ref/compute/#create-server, `networks` and `security_groups`.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from cloud.core.context import RequestContext, seen_by, viewer
from cloud.core.formats import is_uuid
from cloud.core.kept import Kept
from cloud.networks.errors import (
    AutoAllocationFailure,
    ExternalNetworkForbidden,
    FixedIpTaken,
    FixedIpUnfit,
    NetworkAmbiguous,
    NetworkHasNoSubnet,
    NetworkUnknown,
    NoNetworkToChoose,
    PortHasNoAddress,
    PortsOverQuota,
    PortTaken,
    PortUnknown,
    SecurityGroupAmbiguous,
    SecurityGroupUnknown,
)
from cloud.networks.models import FixedIp, Network, Port, Subnet
from cloud.networks.selectors import visible
from cloud.networks.services import auto_topology
from cloud.networks.services.addresses import fits
from cloud.networks.services.default_group import NAME as DEFAULT
from cloud.networks.services.default_group import default_group_id
from cloud.networks.services.quotas import room

Networks = None | str | Sequence[dict[str, str]]
_seen_networks: Kept[Any] = Kept(
    lambda ids, **seen: visible.networks(viewer(**seen)).filter(id__in=ids).annotate(
        has_subnet=Exists(Subnet.objects.filter(network=OuterRef("pk")))
    )
)


def check(
    context: RequestContext, networks: Networks, security_groups: Sequence[str] | None, count: int = 1
) -> dict[str, Any]:
    """Check the networks and security groups of a create request.

    Nothing changes but what a project gets when it first needs it: its default group, and with "auto" its network.

    Args:
        context: of the one who asks, scoped to the project of the server.
        networks: None where the body has none; "auto"; "none"; or a list of {uuid, port, fixed_ip, tag}.
        security_groups: names or ids; None or empty for the project's default group.
        count: how many servers are asked for.

    Returns:
        The document to keep with the instance: {"mode": "auto" | "none" | "explicit", "requests": [{network_id,
        port_id, fixed_ip, tag}], "security_groups": [ids]}, absent values empty. Its requests are what `allocate`
        carries out, whatever the mode.

    Raises:
        Invalid, Conflict, Forbidden: with Nova's sentences.
    """
    mode = networks if isinstance(networks, str) else "auto" if networks is None else "explicit"
    if mode == "explicit":
        requests = _explicit(context, networks)  # type: ignore[arg-type]  # neither None nor str here
    else:
        requests = [] if mode == "none" else _implied(context, is_required=networks is not None)
    _check_room(context.project_id, requests, count)
    return {"mode": mode, "requests": requests, "security_groups": _groups(context, security_groups or ())}


def _request(network_id: str = "", port_id: str = "", fixed_ip: str = "", tag: str = "") -> dict[str, str]:
    return {"network_id": network_id, "port_id": port_id, "fixed_ip": fixed_ip, "tag": tag}


def _implied(context: RequestContext, *, is_required: bool) -> list[dict[str, str]]:
    """Return the one network that a project can mean; none where it sees none and needs none."""
    usable = visible.usable_networks(context).filter(admin_state_up=True, subnets__isnull=False)
    ids = list(usable.values_list("id", flat=True).distinct().order_by("id")[:2])
    if len(ids) > 1:
        raise NetworkAmbiguous
    if not ids and is_required:
        ids = [_made_for(context)]
    return [_request(ids[0])] if ids else []


def _made_for(context: RequestContext) -> str:
    try:
        return auto_topology.ensure(context, context.project_id)
    except AutoAllocationFailure as error:
        raise NoNetworkToChoose(project_id=context.project_id, reason=error.message) from error


def _explicit(context: RequestContext, asked: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    ports = _ports(context, [one["port"] for one in asked if one.get("port")])
    plain = [one for one in asked if not one.get("port")]
    networks = _networks(context, [one.get("uuid") or "" for one in plain])
    for one in plain:
        if one.get("fixed_ip"):
            _check_fixed_ip(networks[one["uuid"]], one["fixed_ip"])
    return [_resolved(one, ports) for one in asked]


def _resolved(one: dict[str, str], ports: dict[str, Port]) -> dict[str, str]:
    tag = one.get("tag") or ""
    if one.get("port"):
        port = ports[one["port"]]
        return _request(port.network_id, port.id, tag=tag)
    address = one.get("fixed_ip")
    return _request(one["uuid"], fixed_ip=str(ipaddress.ip_address(address)) if address else "", tag=tag)


def _ports(context: RequestContext, ids: Sequence[str]) -> dict[str, Port]:
    if not ids:
        return {}
    rows = visible.ports(context).filter(id__in=ids).prefetch_related("fixed_ips")
    found = {port.id: port for port in rows}
    for position, port_id in enumerate(ids):
        port = found.get(port_id)
        if port is None:
            raise PortUnknown(port_id=port_id)
        if port.device_id or port_id in ids[:position]:
            raise PortTaken(port_id=port_id)
        if not port.fixed_ips.all():
            raise PortHasNoAddress(port_id=port_id)
    return found


def _networks(context: RequestContext, ids: Sequence[str]) -> dict[str, Network]:
    found = {network.id: network for network in _seen_networks(ids=list(set(ids)), **seen_by(context))}
    for network_id in ids:
        network = found.get(network_id)
        if network is None:
            raise NetworkUnknown(network_id=network_id)
        if network.is_external and not (context.is_admin or network.shared):
            raise ExternalNetworkForbidden(network_id=network_id)
        if not network.has_subnet:
            raise NetworkHasNoSubnet(network_id=network_id)
    return found


def _check_fixed_ip(network: Network, text: str) -> None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise FixedIpUnfit(ip_address=text, network_id=network.id) from None
    subnet = next((one for one in network.subnets.all() if fits(one, address)), None)
    if subnet is None:
        raise FixedIpUnfit(ip_address=text, network_id=network.id)
    is_taken = FixedIp.objects.filter(subnet=subnet, ip_address=str(address)).exists()
    if is_taken or str(address) == subnet.gateway_ip:
        raise FixedIpTaken(ip_address=text)


def _groups(context: RequestContext, asked: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(asked))
    return _groups_named(context.project_id, names) if names else []


def group_named(project_id: str, name: str) -> str:
    """Return the id of a group that a project may use, by name or id; of two names its own is meant.

    Raises:
        SecurityGroupUnknown, SecurityGroupAmbiguous
    """
    return _groups_named(project_id, [name])[0]


def _groups_named(project_id: str, names: Sequence[str]) -> list[str]:
    if DEFAULT in names:
        default_group_id(project_id)
    rows = visible.usable_groups(project_id).filter(Q(name__in=names) | Q(id__in=names))
    known = list(rows.values_list("id", "name", "project_id"))
    return list(dict.fromkeys(_one_group(project_id, name, known) for name in names))


def _one_group(project_id: str, name: str, known: Sequence[tuple[str, str, str]]) -> str:
    if is_uuid(name) and any(group_id == name for group_id, *_ in known):
        return name
    named = [(group_id, owner) for group_id, known_name, owner in known if known_name == name]
    ids = [group_id for group_id, owner in named if owner == project_id] or [group_id for group_id, _ in named]
    if not ids:
        raise SecurityGroupUnknown(name=name, project_id=project_id)
    if len(ids) > 1:
        raise SecurityGroupAmbiguous(name=name)
    return ids[0]


def _check_room(project_id: str, requests: Sequence[dict[str, str]], count: int) -> None:
    needed = count * sum(1 for request in requests if not request["port_id"])
    left = room(project_id, "port") if needed else None
    if left is not None and needed > left:
        raise PortsOverQuota
