"""The interfaces of servers: made or adopted when a server gets its host, given back when it goes.

Everything here may be repeated: what is done already is left as it is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from cloud.core.errors import CloudError
from cloud.core.kept import Kept, KeptUpdate
from cloud.networks.errors import NetworkNotFound, PortInUse, PortNotFound
from cloud.networks.models import Network, Port, ResourceTag, SecurityGroup, Subnet
from cloud.networks.models.device_owners import SERVER
from cloud.networks.services import changes
from cloud.networks.services.addresses import AddressWish
from cloud.networks.services.default_group import default_group_id
from cloud.networks.services.forgetting import forget_ports
from cloud.networks.services.plugging import PositionTaken, make_port, subnets_of
from cloud.networks.services.specs import specs
from contracts.compute import PortSpec

DEVICE_OWNER = SERVER
# The columns of a port that was a server's and is nobody's now.
UNBOUND: dict[str, Any] = {
    "device_id": "", "device_owner": "", "device_tag": "", "host": "", "position": Port.NO_POSITION, "status": "DOWN",
}
_positions: Kept[int] = Kept(
    lambda uuid: Port.objects.filter(device_id=uuid, position__gte=0).values_list("position", flat=True)
)
_networks: Kept[Network] = Kept(lambda ids: Network.objects.filter(id__in=ids).order_by("id"), do_stay=True)
_activate = KeptUpdate(
    lambda uuids, now: (
        Port.objects.filter(device_id__in=uuids, position__gte=0).exclude(status="ACTIVE"),
        {"status": "ACTIVE", "updated_at": now, "revision_number": F("revision_number") + 1},
    )
)


@dataclass
class Known:
    """What making the ports of many servers in one transaction need not read for each of them.

    `changed`: what hosts must hear of; who hands over the same `Known` for several notes it at the end.
    """

    networks: dict[str, Network] = field(default_factory=dict)
    subnets: dict[str, list[Subnet]] = field(default_factory=lambda: defaultdict(list))
    default_groups: dict[str, str] = field(default_factory=dict)
    changed: set[changes.Change] = field(default_factory=set)


def known_to(network_requests: Iterable[dict[str, Any]]) -> Known:
    """Return what is to be known of the networks that servers ask for, read once for all of them.

    What is read within a server's own part of a transaction would not hold when that part is undone.
    """
    known = Known()
    asked = [one for request in network_requests for one in request.get("requests", ())]
    _read_networks({one["network_id"] for one in asked if one and not one.get("port_id")}, known)
    return known


def allocate(
    instance_uuid: str, project_id: str, network_request: dict[str, Any], host: str, known: Known | None = None
) -> None:
    """Give a server its interfaces, all or none, and bind them to its host.

    Args:
        instance_uuid: the server.
        project_id: of the server; the ports become its.
        network_request: as `requests.check` returned it.
        host: where the server will run.
        known: of `known_to`, shared by those who get theirs in the same transaction, who then note its changes.

    Raises:
        IpAddressGenerationFailure: a network has no address left.
        IpAddressInUse, PortInUse: somebody took what was asked for since it was checked.
        NetworkNotFound, PortNotFound: somebody removed it.
    """
    requests: list[dict[str, str]] = network_request.get("requests", [])
    with transaction.atomic():
        there = set(_positions(uuid=instance_uuid))
        missing = [(place, request) for place, request in enumerate(requests) if request and place not in there]
        _adopt(instance_uuid, project_id, [one for one in missing if one[1].get("port_id")])
        fresh = [one for one in missing if not one[1].get("port_id")]
        draft = Port(device_id=instance_uuid, project_id=project_id, host=host)
        noted = known or Known()
        try:
            _make(draft, fresh, network_request, noted)
        except CloudError:
            noted.default_groups.pop(project_id, None)  # if it was made just now, it is undone with the rest
            raise
        if known is None:
            changes.note(noted.changed, is_urgent=False)
        if len(fresh) < len(requests):
            # What was there before, or was adopted, moves to the host.
            bind(instance_uuid, host)


def bind(instance_uuid: str, host: str) -> None:
    """Let a server's interfaces be on another host, with the addresses that they have."""
    mine = Port.objects.filter(device_id=instance_uuid, position__gte=0).exclude(host=host)
    with transaction.atomic():
        before = set(mine.values_list("host", "network_id"))
        mine.update(host=host, status="DOWN", updated_at=timezone.now(), revision_number=F("revision_number") + 1)
        if before:
            hosts, network_ids = {one for one, _ in before}, {one for _, one in before}
            moved = {changes.of_host(one) for one in (*hosts, host)}
            changes.note(moved | {changes.of_neighbours(one) for one in network_ids}, is_urgent=False)


def release(instance_uuids: Collection[str]) -> None:
    """Delete the ports that were made for servers or shall go, and unbind the others. Nothing there is a success."""
    ports = Port.objects.filter(device_id__in=list(instance_uuids), position__gte=0)
    with transaction.atomic():
        locked = ports.order_by("id").select_for_update()
        rows = list(locked.values_list("id", "is_created_for_server", "is_leaving"))
        made = [port_id for port_id, is_ours, is_leaving in rows if is_ours or is_leaving]
        changes.note(changes.of_ports([port_id for port_id, *_ in rows], are_leaving=True), is_urgent=False)
        ResourceTag.objects.filter(resource_id__in=made).delete()
        forget_ports(made)
        Port.objects.filter(id__in=made).delete()
        if len(made) < len(rows):
            ports.update(**UNBOUND, updated_at=timezone.now(), revision_number=F("revision_number") + 1)


def port_specs(instance_uuid: str) -> list[PortSpec]:
    """Return the interfaces of a server as its host needs them, in the order of the guest."""
    return port_specs_of([instance_uuid])[instance_uuid]


def port_specs_of(instance_uuids: Collection[str]) -> dict[str, list[PortSpec]]:
    """Return the same by server, in three queries for any number of them."""
    found: dict[str, list[PortSpec]] = {uuid: [] for uuid in instance_uuids}
    for device_id, spec in specs(list(instance_uuids)):
        found[device_id].append(spec)
    return found


def set_active(*instance_uuids: str) -> None:
    """Note that guests run and their interfaces work."""
    _activate(uuids=list(instance_uuids), now=timezone.now())


def _adopt(instance_uuid: str, project_id: str, wanted: Sequence[tuple[int, dict[str, str]]]) -> None:
    for position, request in wanted:
        free = Port.objects.filter(id=request["port_id"], device_id="")
        taken = free.update(
            device_id=instance_uuid, device_owner=DEVICE_OWNER, position=position, device_tag=request.get("tag", ""),
            updated_at=timezone.now(), revision_number=F("revision_number") + 1,
        )
        if not taken:
            _refuse_port(request["port_id"], instance_uuid)


def _refuse_port(port_id: str, instance_uuid: str) -> None:
    holder = Port.objects.filter(id=port_id).values_list("device_id", flat=True).first()
    if holder is None:
        raise PortNotFound(port_id=port_id)
    if holder != instance_uuid:
        raise PortInUse(port_id=port_id, device_id=holder)


def _make(
    server: Port, wanted: Sequence[tuple[int, dict[str, str]]], network_request: dict[str, Any], known: Known
) -> None:
    for draft, wishes, groups in drafts_for(server, wanted, network_request, known):
        try:
            make_port(draft, wishes, groups, subnets=known.subnets[draft.network_id])
        except PositionTaken:
            # The same order, carried out by somebody else at the same time: the interface is there.
            continue


def drafts_for(
    server: Port, wanted: Sequence[tuple[int, dict[str, str]]], network_request: dict[str, Any], known: Known
) -> Iterator[tuple[Port, list[AddressWish] | None, Sequence[str]]]:
    """Yield the ports that a server shall get, not yet saved, with the addresses that they want and their groups.

    Args:
        server: a draft that names the server, its project and its host.
        wanted: position and request of each.
        network_request: as `requests.check` returned it.
        known: of `known_to`; what hosts must hear of is added to it.

    Raises:
        NetworkNotFound: somebody removed it.
    """
    if not wanted:
        return
    group_ids = _groups(server.project_id, network_request.get("security_groups", []), known)
    network_ids = {request["network_id"] for _, request in wanted}
    known.changed |= {
        changes.of_host(server.host), *(changes.of_members(one) for one in group_ids),
        *(changes.of_neighbours(one) for one in network_ids),
    }  # fmt: skip
    _read_networks(network_ids, known)
    for position, request in wanted:
        network = known.networks.get(request["network_id"])
        if network is None:
            raise NetworkNotFound(network_id=request["network_id"])
        draft = Port(
            network=network, project_id=server.project_id, device_id=server.device_id, host=server.host,
            device_owner=DEVICE_OWNER, position=position, device_tag=request.get("tag", ""),
            is_created_for_server=True, port_security_enabled=network.port_security_enabled,
        )
        wishes = [AddressWish(ip_address=request["fixed_ip"])] if request.get("fixed_ip") else None
        yield draft, wishes, group_ids if network.port_security_enabled else ()


def _read_networks(network_ids: set[str], known: Known) -> None:
    missing = network_ids - known.networks.keys()
    if missing:
        known.networks |= {network.id: network for network in _networks(ids=list(missing))}
        for subnet in subnets_of(ids=list(missing)):
            known.subnets[subnet.network_id].append(subnet)


def _groups(project_id: str, asked: Sequence[str], known: Known) -> list[str]:
    """Return the groups of new ports: those asked for that still exist, the project's default group if none were."""
    if not asked:
        if project_id not in known.default_groups:
            known.default_groups[project_id] = default_group_id(project_id)
        return [known.default_groups[project_id]]
    return list(SecurityGroup.objects.filter(id__in=asked).values_list("id", flat=True))
