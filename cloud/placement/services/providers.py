"""Resource providers and what they have, as their hosts report it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from cloud.placement.models import Inventory, ProviderTrait, ResourceProvider
from cloud.placement.services.ledger import bump_generations, lock

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


@dataclass(frozen=True)
class Said:
    """What a host says that it has.

    Attributes:
        host: name of the provider.
        uuid: of the provider where it is new.
        totals: by resource class, before reservation and ratio.
        traits: what it can do.
    """

    host: str
    uuid: str
    totals: Mapping[str, int]
    traits: Collection[str] = ()


def report(said: Collection[Said], turned: Collection[str] = ()) -> set[str]:
    """Make or renew hosts' providers, their inventories and traits; return the hosts of which anything changed.

    What is held stays held, even where a host shrank below it: nothing new fits then. Only those of which anything
    changes are locked, so that claims of the others go on; what a host says is written by one at a time.

    Args:
        said: what each has.
        turned: hosts of which something changed that stands elsewhere.
    """
    if not said and not turned:
        return set()
    with transaction.atomic():
        wanted, made = _find_or_make({one.host: one for one in said})
        inventories = _changed_inventories(wanted)
        gone, fresh = _changed_traits(wanted)
        changed = {row.provider_id for row in (*inventories, *fresh)} | set(gone.values())
        if changed or turned:
            anew = Q(pk__in=changed) | Q(name__in=turned)
            locked = lock(ResourceProvider.objects.filter(anew))  # nobody claims of what is about to change
            _write_inventories(inventories)
            ProviderTrait.objects.filter(pk__in=gone).delete()
            ProviderTrait.objects.bulk_create(fresh)
            bump_generations(locked.values())
    return {*made, *turned, *(one.host for provider_id, one in wanted.items() if provider_id in changed)}


def capacity(total: int, reserved: int, ratio: float) -> int:
    """Return what may be promised of a resource."""
    return max(0, int((total - reserved) * ratio))


def _find_or_make(said: Mapping[str, Said]) -> tuple[dict[int, Said], set[str]]:
    """Return what is said by the id of the provider, and which hosts had none."""
    rows = ResourceProvider.objects.filter(name__in=said)
    ids = dict(rows.values_list("name", "id"))
    made = said.keys() - ids.keys()
    if made:
        fresh = [ResourceProvider(name=host, uuid=said[host].uuid) for host in sorted(made)]
        ResourceProvider.objects.bulk_create(fresh, ignore_conflicts=True)
        ids = dict(rows.values_list("name", "id"))
    return {ids[host]: one for host, one in said.items()}, made


def _changed_inventories(wanted: Mapping[int, Said]) -> list[Inventory]:
    columns = ("total", "reserved", "allocation_ratio", "capacity", "max_unit")
    found = Inventory.objects.filter(provider_id__in=wanted).values_list("provider_id", "resource_class", *columns)
    have = {(provider_id, name): values for provider_id, name, *values in found}
    rows = {(key, name): _columns(name, total) for key, one in wanted.items() for name, total in one.totals.items()}
    return [
        Inventory(provider_id=provider_id, resource_class=name, **values)
        for (provider_id, name), values in rows.items()
        if have.get((provider_id, name)) != [values[column] for column in columns]
    ]


def _write_inventories(rows: list[Inventory]) -> None:
    """Make or renew inventories; `used` belongs to the claims."""
    Inventory.objects.bulk_create(
        sorted(rows, key=lambda row: (row.provider_id, row.resource_class)),
        update_conflicts=True, unique_fields=["provider", "resource_class"],
        update_fields=["total", "reserved", "allocation_ratio", "capacity", "max_unit"],
    )  # fmt: skip


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


def _changed_traits(wanted: Mapping[int, Said]) -> tuple[dict[int, int], list[ProviderTrait]]:
    """Return the ids of traits that are gone, with their providers', and the traits that are new."""
    found = ProviderTrait.objects.filter(provider_id__in=wanted).values_list("id", "provider_id", "name")
    have = {(provider_id, name): pk for pk, provider_id, name in found}
    want = {(provider_id, name) for provider_id, one in wanted.items() for name in one.traits}
    gone = {pk: provider_id for (provider_id, name), pk in have.items() if (provider_id, name) not in want}
    return gone, [ProviderTrait(provider_id=key, name=name) for key, name in sorted(want - have.keys())]
