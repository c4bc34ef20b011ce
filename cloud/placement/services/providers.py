"""Resource providers and what they have, as their hosts report it."""

from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cloud.placement.models import Inventory, ProviderTrait, ResourceProvider
from cloud.placement.services.ledger import lock

VCPU = "VCPU"
MEMORY_MB = "MEMORY_MB"
DISK_GB = "DISK_GB"


def ratios() -> dict[str, float]:
    """Return how often each resource class may be promised."""
    return {
        VCPU: settings.CPU_ALLOCATION_RATIO,
        MEMORY_MB: settings.RAM_ALLOCATION_RATIO,
        DISK_GB: settings.DISK_ALLOCATION_RATIO,
    }


def reservations() -> dict[str, int]:
    """Return how much of each resource class a host keeps for itself."""
    return {MEMORY_MB: settings.HOST_RESERVED_MEMORY_MB}


def report(host: str, uuid: str, totals: Mapping[str, int], traits: Collection[str] = ()) -> bool:
    """Make or renew a host's provider, its inventories and traits; tell whether anything changed.

    What is held stays held, even where a host shrank below it: nothing new fits then.

    Args:
        host: name of the provider.
        uuid: of the provider where it is new.
        totals: what the host has, by resource class, before reservation and ratio.
        traits: what it can do.
    """
    with transaction.atomic():
        provider, is_new = ResourceProvider.objects.get_or_create(name=host, defaults={"uuid": uuid})
        lock(ResourceProvider.objects.filter(pk=provider.pk))  # nobody claims of what is about to change
        has_changed = _renew_inventories(provider, totals)
        has_changed |= _renew_traits(provider, set(traits))
        if has_changed:
            ResourceProvider.objects.filter(pk=provider.pk).update(generation=F("generation") + 1)
    return is_new or has_changed


def capacity(total: int, reserved: int, ratio: float) -> int:
    """Return what may be promised of a resource."""
    return max(0, int((total - reserved) * ratio))


def _renew_inventories(provider: ResourceProvider, totals: Mapping[str, int]) -> bool:
    rows = {row.resource_class: row for row in Inventory.objects.filter(provider=provider)}
    wanted = {name: _columns(name, total) for name, total in totals.items()}
    fresh = [Inventory(provider=provider, resource_class=name, **wanted[name]) for name in wanted.keys() - rows.keys()]
    Inventory.objects.bulk_create(fresh)
    changed = [
        row.pk for name, row in rows.items()
        if name in wanted and any(getattr(row, column) != value for column, value in wanted[name].items())
    ]
    # Not by save(): `used` belongs to the claims.
    for name, row in rows.items():
        if row.pk in changed:
            Inventory.objects.filter(pk=row.pk).update(**wanted[name])
    return bool(fresh or changed)


def _columns(name: str, total: int) -> dict[str, float]:
    reserved = min(reservations().get(name, 0), total)
    ratio = ratios().get(name, 1.0)
    promised = capacity(total, reserved, ratio)
    return {
        "total": total,
        "reserved": reserved,
        "allocation_ratio": ratio,
        "capacity": promised,
        "max_unit": max(promised, 1),
    }


def _renew_traits(provider: ResourceProvider, wanted: set[str]) -> bool:
    have = set(ProviderTrait.objects.filter(provider=provider).values_list("name", flat=True))
    ProviderTrait.objects.filter(provider=provider, name__in=have - wanted).delete()
    ProviderTrait.objects.bulk_create(ProviderTrait(provider=provider, name=name) for name in sorted(wanted - have))
    return have != wanted
