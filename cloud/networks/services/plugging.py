"""Making ports: a MAC, addresses and security groups, so that nothing is ever given twice."""

import secrets
from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction

from cloud.core.insert import insert
from cloud.core.kept import Kept
from cloud.core.staying import keep
from cloud.networks.errors import IpAddressGenerationFailure, IpAddressInUse, MacAddressInUse
from cloud.networks.models import FixedIp, Network, Port, Subnet
from cloud.networks.models.device_owners import FLOATING_IP, ROUTER_INTERFACE
from cloud.networks.services.addresses import AddressWish, Place, Stock, eui64, places, self_made, serving, take

MAC_PREFIX = "fa:16:3e"
_TRIES = 50
# Who takes no address from a prefix that is advertised: there is no guest behind it.
WITHOUT_GUEST = (ROUTER_INTERFACE, FLOATING_IP)
_PortGroup = Port.security_groups.through
subnets_of: Kept[Subnet] = Kept(lambda ids: Subnet.objects.filter(network__in=ids))


class PositionTaken(Exception):
    """The server has an interface in this position already."""


def new_mac() -> str:
    """Return a random MAC address below OpenStack's prefix."""
    return ":".join([MAC_PREFIX, *(f"{octet:02x}" for octet in secrets.token_bytes(3))])


def make_port(
    draft: Port, wishes: Sequence[AddressWish] | None, group_ids: Sequence[str],
    *, subnets: Sequence[Subnet] | None = None,
) -> Port:
    """Insert a port with its addresses and groups, whoever else does the same at the moment.

    Args:
        draft: not yet saved; without a `mac_address` it gets a free one.
        wishes: the addresses it wants, beside those that a guest makes for itself; None for what its network gives.
        group_ids: the security groups of the port.
        subnets: those of its network, where the caller has read them, and keeps the network.

    Raises:
        InvalidInput, InvalidIpForNetwork, InvalidIpForSubnet: the wishes do not fit the network.
        IpAddressInUse, MacAddressInUse, PositionTaken: what was asked for is somebody's.
        IpAddressGenerationFailure: no address is left.
    """
    network = draft.network
    known = _subnets_to_plug_in(network) if subnets is None else subnets
    where = _places(draft, wishes, known)
    has_own_mac = bool(draft.mac_address)
    for _ in range(_TRIES):
        if not has_own_mac:
            draft.mac_address = new_mac()
        addresses = _addresses(draft, where, Stock())
        try:
            with transaction.atomic():
                _insert(draft, addresses, group_ids)
            return draft
        except IntegrityError:
            _refuse_what_cannot_change(draft, where, has_own_mac=has_own_mac)
    raise IpAddressGenerationFailure(network_id=network.id)


def make_ports(
    drafts: Sequence[Port], groups: Mapping[str, Sequence[str]], subnets: Mapping[str, Sequence[Subnet]]
) -> None:
    """Insert ports that take what their networks give, all of them or none, in three statements and one for a subnet.

    Args:
        drafts: not yet saved, without `mac_address`.
        groups: the security groups of each, by its id.
        subnets: those of each network, by its id; the caller keeps the networks.

    Raises:
        IntegrityError: somebody was quicker with something; `make_port` knows what to do then.
        IpAddressGenerationFailure: no address is left.
    """
    stock, addresses = Stock(), list[FixedIp]()
    for draft in drafts:
        draft.mac_address = new_mac()
        addresses += _addresses(draft, _places(draft, None, subnets[draft.network_id]), stock)
    with transaction.atomic():
        insert(drafts)
        insert(addresses)
        _add_groups(groups)


def _places(draft: Port, wishes: Sequence[AddressWish] | None, subnets: Sequence[Subnet]) -> list[Place]:
    served = serving(subnets, draft.device_owner)
    where = places(draft.network, served if wishes is None else subnets, wishes)
    if wishes is None or draft.device_owner not in WITHOUT_GUEST:
        where += self_made(served, where)
    return where


def _addresses(port: Port, where: Sequence[Place], stock: Stock) -> list[FixedIp]:
    taken = (take(place, port.network, port.mac_address, stock) for place in where)
    return [FixedIp(port=port, subnet=subnet, ip_address=address) for subnet, address in taken]


def _subnets_to_plug_in(network: Network) -> list[Subnet]:
    """Return a network's subnets; until the transaction ends, who makes another one waits, and then sees our port.

    Without that a port and a subnet whose guests make their own addresses could be made past each other.
    """
    keep(Network.objects.filter(id=network.id))
    return subnets_of(ids=[network.id])


def give_addresses(port: Port, wishes: Sequence[AddressWish]) -> None:
    """Give further addresses to a port that exists. Raises what `make_port` raises for addresses."""
    network: Network = port.network
    where = places(network, list(network.subnets.all()), wishes)
    for _ in range(_TRIES):
        addresses = _addresses(port, where, Stock())
        try:
            with transaction.atomic():
                FixedIp.objects.bulk_create(addresses)
            return
        except IntegrityError:
            _refuse_taken_address(network, where)
    raise IpAddressGenerationFailure(network_id=network.id)


def give_self_made(subnet: Subnet) -> list[str]:
    """Give the ports of its network the addresses that their guests make in a new subnet; return the ports' ids.

    The caller has locked the network, so that no port is made meanwhile; none of those there is removed meanwhile.
    """
    ports = Port.objects.filter(network=subnet.network_id).exclude(device_owner__in=WITHOUT_GUEST)
    keep(ports)
    rows = [(port.id, port.mac_address) for port in ports if serving([subnet], port.device_owner)]
    FixedIp.objects.bulk_create(
        FixedIp(port_id=port_id, subnet=subnet, ip_address=eui64(subnet.cidr, mac)) for port_id, mac in rows
    )
    return [port_id for port_id, _ in rows]


def set_groups(port: Port, group_ids: Sequence[str]) -> None:
    """Replace the security groups of a port."""
    _PortGroup.objects.filter(port_id=port.id).delete()
    _add_groups({port.id: group_ids})


def _insert(draft: Port, addresses: list[FixedIp], group_ids: Sequence[str]) -> None:
    draft.save(force_insert=True)
    FixedIp.objects.bulk_create(addresses)
    _add_groups({draft.id: group_ids})


def _add_groups(groups: Mapping[str, Sequence[str]]) -> None:
    insert([
        _PortGroup(port_id=port_id, securitygroup_id=group_id)
        for port_id, group_ids in groups.items()
        for group_id in dict.fromkeys(group_ids)
    ])


def _refuse_what_cannot_change(draft: Port, where: Sequence[Place], *, has_own_mac: bool) -> None:
    """Refuse if the conflict is about something that another try would ask for again."""
    if draft.position >= 0 and Port.objects.filter(device_id=draft.device_id, position=draft.position).exists():
        raise PositionTaken
    network = draft.network
    if has_own_mac and Port.objects.filter(network=network, mac_address=draft.mac_address).exists():
        raise MacAddressInUse(network_id=network.id, mac=draft.mac_address)
    _refuse_taken_address(network, where)


def _refuse_taken_address(network: Network, where: Sequence[Place]) -> None:
    for place in where:
        if place.ip_address and FixedIp.objects.filter(subnet=place.subnets[0], ip_address=place.ip_address).exists():
            raise IpAddressInUse(network_id=network.id, ip_address=place.ip_address)
