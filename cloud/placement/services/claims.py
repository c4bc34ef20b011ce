"""Claims: who holds what of which host. The sum on a host never exceeds its capacity, whoever races."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from cloud.core.insert import insert
from cloud.placement.errors import ClaimConflict
from cloud.placement.models import Allocation, ResourceProvider
from cloud.placement.services.ledger import Ledger, add_usage, bump_generations, lock, lock_named


@dataclass(frozen=True)
class Claim:
    """What one consumer (an instance) shall hold of one host, by resource class. Amounts of zero are left out."""

    consumer_uuid: str
    host: str
    resources: Mapping[str, int]
    project_id: str
    user_id: str

    @property
    def amounts(self) -> dict[str, int]:
        """What is really asked for."""
        return {name: amount for name, amount in self.resources.items() if amount}


def lock_hosts(hosts: Collection[str]) -> dict[str, int]:
    """Keep everybody else from claiming on these hosts until the transaction ends; return their numbers by name.

    Who claims in several rounds locks all hosts that may be concerned first: two that locked them one after the other
    could wait for each other.
    """
    return lock_named(hosts)


def lock_holders(consumer_uuids: Collection[str]) -> None:
    """Keep everybody else from changing what is held on the hosts of these consumers until the transaction ends."""
    held = Allocation.objects.filter(consumer_uuid__in=consumer_uuids)
    lock(ResourceProvider.objects.filter(id__in=held.values("provider_id")))


def claim(claims: Sequence[Claim]) -> None:
    """Let every claim hold, or none.

    Raises:
        ClaimConflict: some host has not enough left; `hosts` names those. Nothing was changed.
    """
    with transaction.atomic():
        refused = claim_what_fits(claims)
        if refused:
            raise ClaimConflict(one.host for one in refused)


def claim_what_fits(claims: Sequence[Claim], locked: Mapping[str, int] | None = None) -> list[Claim]:
    """Let those claims hold that fit, in their order, and return the others.

    Costs the same few queries for any number of claims.

    Args:
        claims: who shall hold what.
        locked: what `lock_hosts` returned in the same transaction, for all their hosts; else they are locked here.

    Raises:
        ClaimConflict: somebody changed an inventory without locking its provider. Nothing was changed.
    """
    with transaction.atomic():
        hosts = {one.host for one in claims}
        known = lock_named(hosts) if locked is None else locked
        providers = {host: known[host] for host in hosts if host in known}
        ledger = Ledger(providers.values())
        granted: list[Claim] = []
        refused: list[Claim] = []
        for one in claims:
            is_granted = one.host in providers and ledger.take(providers[one.host], one.amounts)
            (granted if is_granted else refused).append(one)
        if granted:
            _write(granted, providers, ledger)
    return refused


def _write(granted: list[Claim], providers: Mapping[str, int], ledger: Ledger) -> None:
    if not ledger.write():
        raise ClaimConflict(one.host for one in granted)
    bump_generations({providers[one.host] for one in granted})
    insert([
        Allocation(
            provider_id=providers[one.host],
            consumer_uuid=one.consumer_uuid,
            resource_class=name,
            used=amount,
            project_id=one.project_id,
            user_id=one.user_id,
        )
        for one in granted
        for name, amount in one.amounts.items()
    ])  # fmt: skip


def release(consumer_uuids: Collection[str]) -> list[str]:
    """Give back all that the consumers hold; return the hosts concerned. Who holds nothing is a success."""
    with transaction.atomic():
        holders = Allocation.objects.filter(consumer_uuid__in=consumer_uuids)
        provider_ids = set(holders.values_list("provider_id", flat=True))
        if not provider_ids:
            return []
        providers = lock(ResourceProvider.objects.filter(id__in=provider_ids))
        # Read again under the lock: somebody may have released the same consumer in between.
        held: dict[int, Counter[str]] = defaultdict(Counter)
        rows = holders.filter(provider_id__in=provider_ids)
        for provider_id, name, used in rows.values_list("provider_id", "resource_class", "used"):
            held[provider_id][name] += used
        add_usage(held, sign=-1)
        bump_generations(held)
        rows.delete()
    return sorted(name for name, provider_id in providers.items() if provider_id in held)


def transfer(from_consumer: str, to_consumer: str) -> bool:
    """Let one consumer hold what another held; tell whether that held anything. Nothing of a host changes."""
    return bool(Allocation.objects.filter(consumer_uuid=from_consumer).update(consumer_uuid=to_consumer))


def holds(consumer_uuid: str) -> bool:
    """Tell whether a consumer holds anything."""
    return Allocation.objects.filter(consumer_uuid=consumer_uuid).exists()
