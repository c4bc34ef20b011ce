"""Subnet pools made, changed and removed.

Source: https://docs.openstack.org/api-ref/network/v2/#subnet-pools-extension-subnetpools
"""

from collections import Counter
from typing import Any

from django.db import IntegrityError, transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import (
    AddressScopeNotFound,
    AddressScopePrefixConflict,
    IllegalSubnetPoolAssociation,
    IllegalSubnetPoolPrefixUpdate,
    IllegalSubnetPoolUpdate,
    InvalidInput,
    SubnetPoolDeleteError,
)
from cloud.networks.models import AddressScope, ResourceTag, SubnetPool
from cloud.networks.selectors import visible
from cloud.networks.selectors.owned import lock_network, lock_subnet_pool
from cloud.networks.services import prefixes, rbac
from cloud.networks.services.changing import renamed, save_changes
from cloud.networks.services.quotas import make_room

_LENGTHS = ("min_prefixlen", "default_prefixlen", "max_prefixlen")
_APART = ("tenant_id", "prefixes", *_LENGTHS)


def create_pools(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make pools, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        OverQuota, AddressScopeNotFound, InvalidInput
        what `prefixes` raises, and what `update_pool` raises for scopes
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "subnetpool", count)
        return [_create(context, item) for item in wanted]


def update_pool(context: RequestContext, pool_id: str, values: dict[str, Any]) -> None:
    """Change a pool.

    Raises:
        SubnetPoolNotFound, AddressScopeNotFound, InvalidInput
        IllegalSubnetPoolPrefixUpdate: it would lose a prefix.
        IllegalSubnetPoolAssociation, AddressScopePrefixConflict: it does not fit into the scope.
        what `prefixes` raises
    """
    with transaction.atomic():
        pool = lock_subnet_pool(context, pool_id)
        before = prefixes.read_prefixes(pool.prefixes)
        blocks = prefixes.read_prefixes(values.get("prefixes", pool.prefixes))
        if blocks[0].version != pool.ip_version or not all(prefixes.covers(blocks, one) for one in before):
            raise IllegalSubnetPoolPrefixUpdate
        changed = {**renamed(values, {}, without=_APART), "prefixes": [str(block) for block in blocks]}
        changed |= {name: values[name] for name in _LENGTHS if values.get(name) is not None}
        prefixes.check_bounds(pool.ip_version, {name: changed.get(name, getattr(pool, name)) for name in _LENGTHS})
        for name, value in changed.items():
            setattr(pool, name, value)
        _check_scope(context, pool)
        _save(pool, is_new=False, names=list(changed))


def onboard(context: RequestContext, pool_id: str, network_id: str) -> list[dict[str, str]]:
    """Let the subnets of a network belong to a pool, which gets their blocks; return {id, cidr} of them.

    Raises:
        NetworkNotFound, SubnetPoolNotFound
        IllegalSubnetPoolUpdate: there are none of its IP version, another pool has one, or the pool has its block.
        AddressScopePrefixConflict
    """
    with transaction.atomic():
        network = lock_network(context, network_id)
        pool = lock_subnet_pool(context, pool_id)
        subnets = list(network.subnets.filter(ip_version=pool.ip_version).order_by("id"))
        blocks, mine = prefixes.read_prefixes(pool.prefixes), [one.cidr for one in subnets]
        reasons = {
            f"network {network_id} has no subnets of IPv{pool.ip_version}": not subnets,
            "a subnet belongs to a pool": any(one.subnetpool_id for one in subnets),
            "the pool has one of the blocks": bool(mine) and prefixes.overlap(blocks, prefixes.read_prefixes(mine)),
        }
        for reason, is_so in reasons.items():
            if is_so:
                raise IllegalSubnetPoolUpdate(reason=reason)
        pool.prefixes = [str(block) for block in prefixes.read_prefixes([*pool.prefixes, *mine])]
        _check_scope(context, pool)
        _save(pool, is_new=False, names=["prefixes"])
        for one in subnets:
            save_changes(one, {"subnetpool": pool})
    return [{"id": one.id, "cidr": one.cidr} for one in subnets]


def delete_pool(context: RequestContext, pool_id: str) -> None:
    """Remove a pool. Raises SubnetPoolNotFound, and SubnetPoolDeleteError while subnets come from it."""
    with transaction.atomic():
        pool = lock_subnet_pool(context, pool_id)
        if pool.subnets.exists():
            raise SubnetPoolDeleteError
        ResourceTag.objects.filter(resource_id=pool_id).delete()
        rbac.forget([pool_id])
        pool.delete()


def _create(context: RequestContext, item: dict[str, Any]) -> str:
    asked = item["prefixes"]
    blocks = prefixes.read_prefixes([asked] if isinstance(asked, str) else asked)
    version = blocks[0].version
    given = {name: item[name] for name in _LENGTHS if item.get(name) is not None}
    lengths = {"min_prefixlen": prefixes.SHORTEST[version], "max_prefixlen": prefixes.LONGEST[version], **given}
    lengths.setdefault("default_prefixlen", lengths["min_prefixlen"])
    prefixes.check_bounds(version, lengths)
    pool = SubnetPool(
        **renamed(item, {}, without=_APART), **lengths, ip_version=version, prefixes=[str(block) for block in blocks]
    )
    _check_scope(context, pool)
    _save(pool, is_new=True)
    return pool.id


def _check_scope(context: RequestContext, pool: SubnetPool) -> None:
    """Refuse a scope that is not the project's, or in which another pool has one of the addresses."""
    if pool.address_scope_id is None:
        return
    # Locked, so that two pools that overlap do not both find the scope free for them.
    rows = visible.address_scopes(context).select_for_update(of=("self",))
    scope: AddressScope | None = rows.filter(id=pool.address_scope_id).first()
    if scope is None:
        raise AddressScopeNotFound(address_scope_id=pool.address_scope_id)
    reasons = {
        f"address scope {scope.id} is another project's": not context.is_admin and scope.project_id != pool.project_id,
        f"address scope {scope.id} is not shared, but the subnet pool is": pool.shared and not scope.shared,
        f"address scope {scope.id} is of IPv{scope.ip_version}": scope.ip_version != pool.ip_version,
    }
    for reason, is_so in reasons.items():
        if is_so:
            raise IllegalSubnetPoolAssociation(reason=reason)
    others = SubnetPool.objects.filter(address_scope=scope).exclude(pk=pool.pk).values_list("prefixes", flat=True)
    mine = prefixes.read_prefixes(pool.prefixes)
    if any(prefixes.overlap(mine, prefixes.read_prefixes(other)) for other in others):
        raise AddressScopePrefixConflict


def _save(pool: SubnetPool, *, is_new: bool, names: list[str] | None = None) -> None:
    """Save a pool. Raises InvalidInput where another is the default already."""
    try:
        with transaction.atomic():
            if is_new:
                pool.save(force_insert=True)
            else:
                save_changes(pool, {name: getattr(pool, name) for name in names or ()})
    except IntegrityError:
        raise InvalidInput(
            reason="A default subnetpool for this IP family has already been set. Only one default may exist per IP "
            "family"
        ) from None
