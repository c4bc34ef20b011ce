"""The block of a new subnet: named by who asks, or cut from a pool."""

import ipaddress
from typing import Any

from cloud.core.context import RequestContext
from cloud.networks.errors import (
    BadRequest,
    MaxPrefixSubnetAllocationError,
    MinPrefixSubnetAllocationError,
    NetworkSubnetPoolAffinityError,
    SubnetAllocationError,
    SubnetPoolNotFound,
    SubnetPoolQuotaExceeded,
)
from cloud.networks.models import Network, Subnet, SubnetPool
from cloud.networks.selectors import visible
from cloud.networks.services import blocks, prefixes

_QUOTA_UNIT = {4: 32, 6: 64}


def choose_block(context: RequestContext, network: Network, item: dict[str, Any]) -> tuple[blocks.Block, str | None]:
    """Return the block of a subnet, and the id of the pool that it comes from or None.

    The pool is locked, so that nobody else is given the same before the subnet is there.

    Raises:
        BadRequest: both or neither of `cidr` and a pool's prefix are asked for.
        SubnetPoolNotFound: also where no pool is the default.
        NetworkSubnetPoolAffinityError: the network has subnets from elsewhere.
        MinPrefixSubnetAllocationError, MaxPrefixSubnetAllocationError, SubnetAllocationError, SubnetPoolQuotaExceeded
        InvalidInput: the block is none for guests.
    """
    version = int(item["ip_version"])
    pool = _pool(context, item, version)
    if item.get("cidr") and item.get("prefixlen") is not None:
        raise BadRequest("cidr and prefixlen must not be supplied together")
    _check_affinity(network, version, pool)
    if pool is None:
        if not item.get("cidr"):
            raise BadRequest("A cidr must be specified in the absence of a subnet pool")
        return blocks.read_block(item["cidr"], version), None
    if pool.ip_version != version:
        raise BadRequest(f"Cannot allocate IPv{version} subnet from IPv{pool.ip_version} subnet pool")
    block = _cut(pool, item, version)
    _check_quota(pool, item["project_id"], block)
    return block, pool.id


def _pool(context: RequestContext, item: dict[str, Any], version: int) -> SubnetPool | None:
    pool_id, wants_default = item.get("subnetpool_id"), item.get("use_default_subnetpool")
    if pool_id and wants_default:
        raise BadRequest("subnetpool_id and use_default_subnetpool cannot both be specified")
    if not (pool_id or wants_default):
        return None
    if pool_id:
        rows = visible.subnet_pools(context).filter(id=pool_id)
    else:
        rows = SubnetPool.objects.filter(is_default=True, ip_version=version)
    pool = rows.select_for_update(of=("self",)).first()
    if pool is None:
        if pool_id:
            raise SubnetPoolNotFound(subnetpool_id=pool_id)
        raise BadRequest(f"No default subnetpool found for IPv{version}")
    return pool


def _check_affinity(network: Network, version: int, pool: SubnetPool | None) -> None:
    pools = set(network.subnets.filter(ip_version=version).values_list("subnetpool_id", flat=True))
    if pools - {pool.id if pool else None}:
        raise NetworkSubnetPoolAffinityError


def _cut(pool: SubnetPool, item: dict[str, Any], version: int) -> blocks.Block:
    asked = blocks.read_block(item["cidr"], version) if item.get("cidr") else None
    wanted = item.get("prefixlen")
    length = asked.prefixlen if asked else int(wanted) if wanted is not None else pool.default_prefixlen
    if length < pool.min_prefixlen:
        raise MinPrefixSubnetAllocationError(prefixlen=length, bound=pool.min_prefixlen)
    if length > pool.max_prefixlen:
        raise MaxPrefixSubnetAllocationError(prefixlen=length, bound=pool.max_prefixlen)
    whole, used = prefixes.read_prefixes(pool.prefixes), _blocks(pool.subnets.values_list("cidr", flat=True))
    if asked:
        if not prefixes.covers(whole, asked) or prefixes.overlap(used, [asked]):
            raise SubnetAllocationError(reason="Cannot allocate requested subnet from the available set of prefixes")
        return asked
    found = prefixes.first_free(whole, used, length)
    if found is None:
        raise SubnetAllocationError(reason=f"Insufficient prefix space to allocate subnet size /{length}")
    return found


def _check_quota(pool: SubnetPool, project_id: str, block: blocks.Block) -> None:
    if pool.default_quota is None:
        return
    unit = _QUOTA_UNIT[pool.ip_version]
    mine = _blocks(Subnet.objects.filter(subnetpool=pool, project_id=project_id).values_list("cidr", flat=True))
    if sum(1 << max(unit - one.prefixlen, 0) for one in [*mine, block]) > pool.default_quota:
        raise SubnetPoolQuotaExceeded


def _blocks(cidrs: Any) -> list[blocks.Block]:
    return [ipaddress.ip_network(cidr) for cidr in cidrs]
