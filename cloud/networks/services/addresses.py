"""Choosing addresses: which subnets a port takes one from, and which is free there.

An address is guessed at random and only then looked up, so that neither a large pool nor many ports cost more, and
two who choose at once seldom choose the same. If they do, the table's constraint lets one of them through and the
other chooses again (see `plugging`).
"""

import ipaddress
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloud.core.kept import Kept
from cloud.networks.errors import (
    InvalidInput,
    InvalidIpForNetwork,
    InvalidIpForSubnet,
    IpAddressGenerationFailure,
    IpAddressInUse,
)
from cloud.networks.models import FixedIp, Network, Subnet

_taken: Kept[str] = Kept(
    lambda subnet_id, addresses: FixedIp.objects.filter(subnet=subnet_id, ip_address__in=addresses).values_list(
        "ip_address", flat=True
    )
)
_GUESSES = 16
_ROUNDS = 3
_CHUNK = 512
# Modes in which a guest makes its address from the router's prefix and its MAC, so that we can only compute it.
SELF_ADDRESSED = ("slaac", "dhcpv6-stateless")


@dataclass(frozen=True)
class AddressWish:
    """What a port wants: an address, or any of a subnet; at least one of the two is given.

    `is_gateway` tells that it is a router's and may be the subnet's gateway, which no guest gets. `version` restricts
    the subnets to those of an IP version.
    """

    subnet_id: str = ""
    ip_address: str = ""
    is_gateway: bool = False
    version: int = 0


@dataclass(frozen=True)
class Place:
    """Where one address of a port comes from: this very one, or any free one of the first subnet that has one."""

    subnets: tuple[Subnet, ...]
    ip_address: str = ""


class AddressPools:
    """The addresses that a subnet gives out by itself, numbered from 0 on through all its pools."""

    def __init__(self, pools: Sequence[dict[str, str]]) -> None:
        bounds = [(ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])) for pool in pools]
        self._address = type(bounds[0][0]) if bounds else ipaddress.IPv4Address
        self._runs = [(int(first), int(last) - int(first) + 1) for first, last in bounds]
        self.size = sum(length for _, length in self._runs)

    def at(self, number: int) -> str:
        """Return the address of a number below `size`."""
        for first, length in self._runs:
            if number < length:
                return str(self._address(first + number))
            number -= length
        raise IndexError(number)

    def guesses(self) -> Iterator[list[str]]:
        """Yield batches of addresses to try: some at random, then all of them from a random one on."""
        if self.size > _CHUNK:
            for _ in range(_ROUNDS):
                yield [self.at(random.randrange(self.size)) for _ in range(_GUESSES)]  # noqa: S311  # not a secret
        if not self.size:
            return
        start = random.randrange(self.size)  # noqa: S311  # not a secret
        for begin in range(0, self.size, _CHUNK):
            end = min(begin + _CHUNK, self.size)
            yield [self.at((start + number) % self.size) for number in range(begin, end)]


def free_addresses(subnet: Subnet) -> Iterator[str]:
    """Yield addresses of the subnet's pools that nobody has, each once."""
    given: set[str] = set()
    for batch in AddressPools(subnet.allocation_pools).guesses():
        given.update(_taken(subnet_id=subnet.id, addresses=batch))
        for address in batch:
            if address not in given:
                given.add(address)
                yield address


class Stock:
    """Free addresses of subnets, for ports that are made together: what one was given no other is given."""

    def __init__(self) -> None:
        self._free: dict[str, Iterator[str]] = {}

    def take(self, subnet: Subnet) -> str | None:
        """Return an address that nobody has, or None where there is none."""
        if subnet.id not in self._free:
            self._free[subnet.id] = free_addresses(subnet)
        return next(self._free[subnet.id], None)


def eui64(cidr: str, mac: str) -> str:
    """Return the address that a guest with this MAC makes for itself in a /64. Source: RFC 4291, appendix A."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 0x02
    host = int.from_bytes(bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]]))
    return str(ipaddress.ip_network(cidr)[host])


def places(network: Network, subnets: Sequence[Subnet], wishes: Sequence[AddressWish] | None) -> list[Place]:
    """Return where the addresses of a port come from.

    Args:
        network: the port's.
        subnets: of the network.
        wishes: None for what the network gives by itself: one address of each IP version. What guests make for
            themselves comes on top, see `self_made`.

    Raises:
        InvalidInput, InvalidIpForNetwork, InvalidIpForSubnet, IpAddressInUse
    """
    if wishes is not None:
        return [_wished(network, subnets, wish) for wish in wishes]
    found = [
        Place(tuple(subnet for subnet in subnets if subnet.ip_version == version and not is_self_addressed(subnet)))
        for version in (4, 6)
    ]
    return [place for place in found if place.subnets]


def self_made(subnets: Sequence[Subnet], where: Sequence[Place]) -> list[Place]:
    """Return the places of addresses that a guest makes for itself, whatever it is given in `where` and asked for."""
    there = {subnet.id for place in where for subnet in place.subnets}
    return [Place((subnet,)) for subnet in subnets if is_self_addressed(subnet) and subnet.id not in there]


def serving(subnets: Sequence[Subnet], device_owner: str) -> list[Subnet]:
    """Return the subnets that are for ports of an owner: those that say so, and those that are for all."""
    return [one for one in subnets if not one.service_types or device_owner in one.service_types]


def is_self_addressed(subnet: Subnet) -> bool:
    """Tell whether guests of the subnet make their own addresses."""
    return subnet.ipv6_address_mode in SELF_ADDRESSED


def _wished(network: Network, subnets: Sequence[Subnet], wish: AddressWish) -> Place:
    candidates = [
        subnet for subnet in subnets if wish.subnet_id in ("", subnet.id) and wish.version in (0, subnet.ip_version)
    ]
    if not candidates:
        raise InvalidInput(
            reason=f"Failed to create port on network {network.id}, because fixed_ips included invalid subnet "
            f"{wish.subnet_id}"
        )
    if not wish.ip_address:
        return Place(tuple(candidates))
    address = ipaddress.ip_address(wish.ip_address)
    subnet = next((one for one in candidates if fits(one, address)), None)
    if subnet is None:
        error = InvalidIpForSubnet if wish.subnet_id else InvalidIpForNetwork
        raise error(ip_address=address)
    if str(address) == subnet.gateway_ip and not wish.is_gateway:
        raise IpAddressInUse(network_id=network.id, ip_address=address)
    return Place((subnet,), str(address))


def fits(subnet: Subnet, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether a port may have an address: it is in the subnet and neither its first nor its broadcast one."""
    block = ipaddress.ip_network(subnet.cidr)
    if address not in block:
        return False
    if block.prefixlen >= block.max_prefixlen - 1:
        return True
    return address != block.network_address and (block.version == 6 or address != block.broadcast_address)


def take(place: Place, network: Network, mac: str, stock: Stock) -> tuple[Subnet, str]:
    """Return the subnet and the address that a place gives to a MAC now; another may still be quicker.

    Raises:
        IpAddressGenerationFailure: its subnets are full.
    """
    if place.ip_address:
        return place.subnets[0], place.ip_address
    for subnet in place.subnets:
        found = eui64(subnet.cidr, mac) if is_self_addressed(subnet) else stock.take(subnet)
        if found is not None:
            return subnet, found
    raise IpAddressGenerationFailure(network_id=network.id)
