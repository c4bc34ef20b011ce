"""The inventories of some providers, locked, so that what is promised of them can be counted and changed."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Case, F, IntegerField, QuerySet, Value, When

from cloud.core.kept import Kept, KeptUpdate
from cloud.placement.models import Inventory, ResourceProvider

Amounts = Mapping[str, int]
_inventories: Kept[Inventory] = Kept(lambda ids: Inventory.objects.filter(provider_id__in=ids))


def lock(providers: QuerySet[ResourceProvider]) -> dict[str, int]:
    """Lock providers until the transaction ends, always in the same order; return their ids by name.

    On SQLite the transaction has the write lock already.
    """
    return dict(providers.select_for_update().order_by("id").values_list("name", "id"))


_lock_named: Kept[tuple[str, int]] = Kept(
    lambda names: ResourceProvider.objects.filter(name__in=names).select_for_update().order_by("id").values_list(
        "name", "id"
    )
)


def lock_named(names: Collection[str]) -> dict[str, int]:
    """Do the same for providers of these names."""
    return dict(_lock_named(names=list(names)))


class Ledger:
    """What locked providers have left, and what shall be added to what is used of them."""

    def __init__(self, provider_ids: Collection[int]) -> None:
        self._free: dict[tuple[int, str], Inventory] = {
            (row.provider_id, row.resource_class): row for row in _inventories(ids=list(provider_ids))
        }
        self._taken: dict[int, Counter[str]] = defaultdict(Counter)

    def take(self, provider_id: int, amounts: Amounts) -> bool:
        """Note the amounts as used if all of them fit; tell whether they did."""
        if not all(self._fits(provider_id, name, amount) for name, amount in amounts.items()):
            return False
        self._taken[provider_id].update(amounts)
        return True

    def _fits(self, provider_id: int, name: str, amount: int) -> bool:
        row = self._free.get((provider_id, name))
        if row is None or not row.min_unit <= amount <= row.max_unit or amount % row.step_size:
            return False
        return row.used + self._taken[provider_id][name] + amount <= row.capacity

    def write(self) -> bool:
        """Add what was taken; tell whether every row still had room for it."""
        return add_usage(self._taken)


def add_usage(taken: Mapping[int, Amounts], sign: int = 1) -> bool:
    """Change what is used of providers, in one UPDATE for all that change by the same amounts.

    The condition in the UPDATE is what keeps a host from being promised twice, whoever else is at work.

    Args:
        taken: amounts by provider id.
        sign: 1 to add, -1 to take away.

    Returns:
        Whether every row was changed; if not, the caller must roll back.
    """
    alike: dict[tuple[tuple[str, int], ...], list[int]] = defaultdict(list)
    for provider_id, amounts in taken.items():
        if amounts:
            alike[tuple(sorted(amounts.items()))].append(provider_id)
    results = [_add(amounts, provider_ids, sign) for amounts, provider_ids in alike.items()]
    return all(results)


def _add(amounts: tuple[tuple[str, int], ...], provider_ids: list[int], sign: int) -> bool:
    names, numbers = [name for name, _ in amounts], [sign * amount for _, amount in amounts]
    changed = _change(ids=provider_ids, names=names, numbers=numbers, is_bounded=sign > 0)
    return changed == len(provider_ids) * len(amounts)


def _changed(
    ids: list[int], names: list[str], numbers: list[int], *, is_bounded: bool
) -> tuple[QuerySet[Inventory], dict[str, Any]]:
    change = Case(
        *(When(resource_class=name, then=Value(number)) for name, number in zip(names, numbers, strict=True)),
        default=Value(0),
        output_field=IntegerField(),
    )
    rows = Inventory.objects.filter(provider_id__in=ids, resource_class__in=names)
    return rows.filter(used__lte=F("capacity") - change) if is_bounded else rows, {"used": F("used") + change}


_change = KeptUpdate(_changed)
_bump = KeptUpdate(
    lambda ids: (ResourceProvider.objects.filter(id__in=ids), {"generation": F("generation") + 1})
)


def bump_generations(provider_ids: Iterable[int]) -> None:
    """Note that the providers changed."""
    _bump(ids=list(provider_ids))
