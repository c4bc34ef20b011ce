"""One more address for an interface of a server, or one less; its host hears of it at once."""

from django.db import transaction

from cloud.core.staying import keep
from cloud.networks.errors import IpAddressGenerationFailure
from cloud.networks.models import Network, Port, Subnet
from cloud.networks.models.device_owners import SERVER
from cloud.networks.services import changes
from cloud.networks.services.addresses import AddressWish, is_self_addressed, serving
from cloud.networks.services.changing import save_changes
from cloud.networks.services.plugging import give_addresses
from cloud.networks.services.readdressing import readdress


def add(instance_uuid: str, network_id: str) -> bool:
    """Give a server's first interface in a network one more address, of the first subnet that has one left.

    Returns False where the server has no interface there, or the network no subnet that gives out addresses.

    Raises:
        IpAddressGenerationFailure: none is left.
    """
    with transaction.atomic():
        keep(Network.objects.filter(id=network_id))  # no subnet goes meanwhile; networks are locked before ports
        port = _lock(instance_uuid, network=network_id)
        subnets = _giving(port) if port else []
        if port is None or not subnets:
            return False
        _give_one(port, subnets)
        _tell(port)
    return True


def remove(instance_uuid: str, address: str) -> bool:
    """Take an address from a server; tell whether it had it. Floating IPs that led there lead nowhere."""
    with transaction.atomic():
        port = _lock(instance_uuid, fixed_ips__ip_address=address)
        if port is None:
            return False
        kept = port.fixed_ips.exclude(ip_address=address).values_list("subnet_id", "ip_address")
        readdress(port, [AddressWish(subnet_id=subnet_id, ip_address=one) for subnet_id, one in kept])
        _tell(port)
    return True


def _lock(instance_uuid: str, **where: str) -> Port | None:
    mine = Port.objects.filter(device_id=instance_uuid, position__gte=0, is_leaving=False)
    ports = mine.filter(**where).order_by("position")
    return ports.select_for_update(of=("self",)).first()


def _giving(port: Port) -> list[Subnet]:
    """Return the subnets in which a guest can have several addresses: those in which it does not make its own."""
    subnets = port.network.subnets.order_by("created_at", "id")
    return [one for one in serving(list(subnets), SERVER) if not is_self_addressed(one)]


def _give_one(port: Port, subnets: list[Subnet]) -> None:
    *others, last = subnets
    for subnet in others:
        try:
            give_addresses(port, [AddressWish(subnet_id=subnet.id)])
        except IpAddressGenerationFailure:
            continue
        return
    give_addresses(port, [AddressWish(subnet_id=last.id)])


def _tell(port: Port) -> None:
    save_changes(port, {})
    changes.note(changes.of_ports([port.id]))
