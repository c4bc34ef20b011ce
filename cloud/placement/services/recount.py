"""What is booked is set right by what is held: for operators and reconcilers, never in a request's way."""

from collections import Counter
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Sum

from cloud.placement.models import Allocation, Inventory, ResourceProvider
from cloud.placement.services.claims import Claim, claim_what_fits
from cloud.placement.services.ledger import bump_generations, lock


def recount(hosts: Collection[str]) -> list[str]:
    """Set what is booked of hosts to the sum of what is held of them; return those where it was another."""
    with transaction.atomic():
        providers = lock(ResourceProvider.objects.filter(name__in=hosts))
        rows = Allocation.objects.filter(provider_id__in=providers.values())
        sums: Counter[tuple[int, str]] = Counter()
        for provider_id, name, total in rows.values_list("provider_id", "resource_class").annotate(Sum("used")):
            sums[provider_id, name] = total
        wrong = [
            row for row in Inventory.objects.filter(provider_id__in=providers.values())
            if row.used != sums[row.provider_id, row.resource_class]
        ]
        for row in wrong:
            row.used = sums[row.provider_id, row.resource_class]
        Inventory.objects.bulk_update(wrong, ["used"])
        changed = {row.provider_id for row in wrong}
        bump_generations(changed)
    return sorted(name for name, provider_id in providers.items() if provider_id in changed)


def hold_exactly(consumer_uuid: str, wanted: Sequence[Claim]) -> tuple[list[Claim], list[str]]:
    """Let a consumer hold these claims and no other; return those that do not fit, and the hosts concerned.

    What does not fit is not held, and what was held in its place is given back all the same.
    """
    with transaction.atomic():
        rows = Allocation.objects.filter(consumer_uuid=consumer_uuid)
        hosts = {*rows.values_list("provider__name", flat=True), *(one.host for one in wanted)}
        lock(ResourceProvider.objects.filter(name__in=hosts))
        rows.delete()
        recount(hosts)
        refused = claim_what_fits(wanted) if wanted else []
    return refused, sorted(hosts)
