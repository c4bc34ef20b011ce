"""What makes a block of addresses a good subnet: its prefix, gateway and pools. Pure rules over values.

Source: https://docs.openstack.org/api-ref/network/v2/#subnets
"""

import ipaddress
from collections.abc import Sequence
from itertools import pairwise

from cloud.networks.errors import (
    BadRequest,
    GatewayConflictWithAllocationPools,
    InvalidAllocationPool,
    InvalidInput,
    OutOfBoundsAllocationPool,
    OverlappingAllocationPools,
)

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Pool = dict[str, str]
_SLAAC_PREFIX = 64
# A DHCP server, its router and a guest do not fit into less.
_DHCP_PREFIX = {4: 30, 6: 126}


def read_block(cidr: str, ip_version: int) -> Block:
    """Return the block of a CIDR.

    Raises:
        BadRequest: host bits are set. InvalidInput: another IP version, or nothing that guests can live in.
    """
    block = ipaddress.ip_network(cidr, strict=False)
    if "/" not in cidr or ipaddress.ip_interface(cidr).ip != block.network_address:
        raise BadRequest(
            f"Invalid input for cidr. Reason: '{cidr}' isn't a recognized IP subnet cidr, '{block}' is recommended."
        )
    if block.version != ip_version:
        raise InvalidInput(reason=f"ip_version '{ip_version}' does not match the cidr '{cidr}'")
    reasons = {
        "0.0.0.0/0 illegal": block.prefixlen == 0, "Multicast IP subnet is not supported": block.is_multicast,
        "Loopback IP subnet is not supported": block.is_loopback,
    }
    for reason, is_so in reasons.items():
        if is_so:
            raise InvalidInput(reason=f"{reason}: {cidr}")
    return block


def check_dhcp(block: Block) -> None:
    """Refuse DHCP in a block too small for it. Raises InvalidInput."""
    if block.prefixlen > _DHCP_PREFIX[block.version]:
        raise InvalidInput(
            reason=f"Subnet {block} has a prefix length that is incompatible with DHCP service enabled"
        )


def check_modes(block: Block, ra_mode: str, address_mode: str, *, has_dhcp: bool) -> None:
    """Refuse IPv6 modes that contradict the block or each other. Raises InvalidInput."""
    if not (ra_mode or address_mode):
        return
    if block.version != 6 or not has_dhcp:
        raise InvalidInput(reason="ipv6_ra_mode or ipv6_address_mode need ip_version 6 and enable_dhcp")
    if ra_mode and address_mode and ra_mode != address_mode:
        raise InvalidInput(
            reason=f"ipv6_ra_mode set to '{ra_mode}' with ipv6_address_mode set to '{address_mode}' is not valid. "
            "If both attributes are set, they must be the same value"
        )
    if (address_mode or ra_mode) != "dhcpv6-stateful" and block.prefixlen != _SLAAC_PREFIX:
        raise InvalidInput(reason=f"Invalid CIDR {block} for IPv6 address mode: it needs a /64 prefix")


def host_range(block: Block) -> tuple[Address, Address]:
    """Return the first and the last address that a guest may have."""
    first, last = block[0], block[-1]
    if block.prefixlen >= block.max_prefixlen - 1:
        return first, last
    return first + 1, last if block.version == 6 else last - 1


def default_gateway(block: Block) -> str:
    """Return the gateway of a subnet that names none: its first address."""
    return str(host_range(block)[0])


def check_gateway(block: Block, gateway: str) -> str:
    """Return a gateway in its canonical form. Raises InvalidInput where guests could not reach it."""
    address = ipaddress.ip_address(gateway)
    first, last = host_range(block)
    if address.version != block.version or not first <= address <= last:  # type: ignore[operator]  # one version
        raise InvalidInput(reason=f"Gateway {gateway} is not valid on subnet {block}")
    return str(address)


def default_pools(block: Block, gateway: str) -> list[Pool]:
    """Return pools of all that a block has but its gateway."""
    first, last = (int(one) for one in host_range(block))
    kind = type(block[0])
    hole = int(ipaddress.ip_address(gateway)) if gateway else None
    runs = [(first, last)] if hole is None else [(first, hole - 1), (hole + 1, last)]
    return [{"start": str(kind(begin)), "end": str(kind(end))} for begin, end in runs if begin <= end]


def check_pools(block: Block, pools: Sequence[Pool], gateway: str) -> list[Pool]:
    """Return pools in their canonical form.

    Raises:
        InvalidAllocationPool, OutOfBoundsAllocationPool, OverlappingAllocationPools,
        GatewayConflictWithAllocationPools
    """
    read = sorted(_read_pool(block, pool) for pool in pools)
    for (first, first_end), (second, second_end) in pairwise(read):
        if second <= first_end:
            raise OverlappingAllocationPools(
                first=f"{first}-{first_end}", second=f"{second}-{second_end}", cidr=block
            )
    for start, end in read:
        if gateway and start <= ipaddress.ip_address(gateway) <= end:
            raise GatewayConflictWithAllocationPools(ip_address=gateway, pool=f"{start}-{end}")
    return [{"start": str(start), "end": str(end)} for start, end in read]


def _read_pool(block: Block, pool: Pool) -> tuple[Address, Address]:
    start, end = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
    text = f"{start}-{end}"
    if start.version != block.version or end.version != block.version or int(start) > int(end):
        raise InvalidAllocationPool(pool=text)
    first, last = host_range(block)
    if int(start) < int(first) or int(end) > int(last):
        raise OutOfBoundsAllocationPool(pool=text, cidr=block)
    return start, end
