"""How much of each resource a project may hold, and how much it holds.

Usage changes in the transaction that makes or removes the thing. A reservation is one conditional UPDATE, so no sum
passes its limit, whoever races. A limit is the project's own, else the default class's, else the built-in one.
Source of the defaults: https://docs.openstack.org/nova/latest/configuration/config.html#quota
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Greatest

from cloud.core.errors import QuotaExceeded
from cloud.core.kept import Kept, KeptUpdate
from cloud.identity.models import QuotaClassLimit, QuotaLimit, QuotaUsage

UNLIMITED = -1
_NO_BOUND = 2**62
DEFAULTS: Mapping[str, int] = {
    "instances": 10, "cores": 20, "ram": 51200, "metadata_items": 128, "key_pairs": 100,
    "server_groups": 10, "server_group_members": 10,
    "injected_files": 5, "injected_file_content_bytes": 10240, "injected_file_path_bytes": 255,
    # What compute said of networks before there was a network service: shown by old microversions, never reserved.
    "floating_ips": UNLIMITED, "fixed_ips": UNLIMITED, "security_groups": UNLIMITED, "security_group_rules": UNLIMITED,
    "network": 100, "subnet": 100, "port": 500, "router": 10, "floatingip": 50,
    "security_group": 10, "security_group_rule": 100,
}  # fmt: skip


def reserve(project_id: str, amounts: Mapping[str, int]) -> None:
    """Take amounts of resources for a project, all or none, inside the caller's transaction.

    Args:
        project_id: whose quota.
        amounts: by resource; 0 takes nothing, and a negative amount gives back without looking at the limit.

    Raises:
        QuotaExceeded: names each resource that would pass its limit; nothing was taken.
        KeyError: a resource without a row in DEFAULTS.
    """
    wanted = {resource: amount for resource, amount in amounts.items() if amount}
    if not wanted:
        return
    ceilings = limits(project_id, wanted)
    if _take_all(project_id, wanted, ceilings):
        return
    if _add_missing_rows(project_id, wanted) and _take_all(project_id, wanted, ceilings):
        return
    raise _exceeded(project_id, wanted, ceilings)


def add(project_id: str, amounts: Mapping[str, int]) -> None:
    """Count what a project has already, whatever its limits, inside the caller's transaction."""
    wanted = {resource: amount for resource, amount in amounts.items() if amount}
    ceilings = dict.fromkeys(wanted, UNLIMITED)
    if wanted and not _take_all(project_id, wanted, ceilings):
        _add_missing_rows(project_id, wanted)
        _take_all(project_id, wanted, ceilings)


def release(project_id: str, amounts: Mapping[str, int]) -> None:
    """Give back what was reserved. Never below zero: what was counted twice is the auditor's business."""
    given = {resource: amount for resource, amount in amounts.items() if amount}
    if not given:
        return
    with transaction.atomic():
        _lock(project_id, given)
        rows = QuotaUsage.objects.filter(project_id=project_id, resource__in=given)
        rows.update(in_use=Greatest(F("in_use") - _amount_of(given.items()), Value(0)))


def limits(project_id: str, resources: Collection[str] = DEFAULTS) -> dict[str, int]:
    """Return the limits in force for a project, by resource; -1 is no limit. One query."""
    found = _overrides(project_id=project_id, resources=list(resources))
    overrides = {resource: limit for _, resource, limit in sorted(found)}
    return {resource: overrides.get(resource, DEFAULTS[resource]) for resource in resources}


_overrides: Kept[tuple[int, str, int]] = Kept(
    lambda project_id, resources: QuotaClassLimit.objects.filter(resource__in=resources).values_list(
        Value(0), "resource", "limit"
    ).union(
        QuotaLimit.objects.filter(project_id=project_id, resource__in=resources).values_list(
            Value(1), "resource", "limit"
        )
    )
)


def class_limits() -> dict[str, int]:
    """Return the limits of a project without limits of its own, by resource."""
    return {**DEFAULTS, **dict(QuotaClassLimit.objects.values_list("resource", "limit"))}


def usages(project_id: str, resources: Collection[str] = DEFAULTS) -> dict[str, int]:
    """Return what a project holds, by resource. One query."""
    rows = QuotaUsage.objects.filter(project_id=project_id, resource__in=resources)
    return {**dict.fromkeys(resources, 0), **dict(rows.values_list("resource", "in_use"))}


def set_limits(project_id: str, changes: Mapping[str, int]) -> None:
    """Give a project limits of its own."""
    rows = [QuotaLimit(project_id=project_id, resource=name, limit=limit) for name, limit in changes.items()]
    QuotaLimit.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["project_id", "resource"], update_fields=["limit"]
    )


def clear_limits(project_id: str, resources: Collection[str] = DEFAULTS) -> None:
    """Let the defaults hold again for a project."""
    QuotaLimit.objects.filter(project_id=project_id, resource__in=resources).delete()


def set_class_limits(changes: Mapping[str, int]) -> None:
    """Change the limits of all projects without limits of their own."""
    rows = [QuotaClassLimit(resource=name, limit=limit) for name, limit in changes.items()]
    QuotaClassLimit.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["resource"], update_fields=["limit"]
    )


def correct(project_id: str, counted: Mapping[str, int]) -> None:
    """Set usage to what was counted; for the reconciler."""
    rows = [QuotaUsage(project_id=project_id, resource=name, in_use=number) for name, number in counted.items()]
    QuotaUsage.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["project_id", "resource"], update_fields=["in_use"]
    )


def hold_still(project_id: str, resources: Collection[str]) -> None:
    """Keep usage from changing until the transaction ends. What is counted after this is what `correct` may set."""
    _add_missing_rows(project_id, resources)
    rows = QuotaUsage.objects.select_for_update().filter(project_id=project_id, resource__in=resources)
    list(rows.order_by("resource").values_list("id"))


def forget(project_id: str) -> None:
    """Drop limits and usage of a project that is no more."""
    QuotaLimit.objects.filter(project_id=project_id).delete()
    QuotaUsage.objects.filter(project_id=project_id).delete()


def _take_all(project_id: str, wanted: Mapping[str, int], ceilings: Mapping[str, int]) -> bool:
    with transaction.atomic():
        _lock(project_id, wanted)
        is_bounded = {name: amount > 0 and ceilings[name] != UNLIMITED for name, amount in wanted.items()}
        taken = _take(
            project_id=project_id,
            resources=list(wanted),
            amounts=list(wanted.values()),
            mosts=[ceilings[name] - amount if is_bounded[name] else _NO_BOUND for name, amount in wanted.items()],
        )
        is_taken = taken == len(wanted)
        transaction.set_rollback(not is_taken)
        return is_taken


def _taken(
    project_id: str, resources: list[str], amounts: list[int], mosts: list[int]
) -> tuple[QuerySet[QuotaUsage], dict[str, Any]]:
    fits = Q()
    for resource, most in zip(resources, mosts, strict=True):
        fits |= Q(resource=resource, in_use__lte=most)
    in_use = Greatest(F("in_use") + _amount_of(zip(resources, amounts, strict=True)), Value(0))
    return QuotaUsage.objects.filter(fits, project_id=project_id), {"in_use": in_use}


_take = KeptUpdate(_taken)


def _amount_of(amounts: Iterable[tuple[str, int]]) -> Case:
    whens = [When(resource=resource, then=Value(amount)) for resource, amount in amounts]
    return Case(*whens, default=Value(0), output_field=BigIntegerField())


def _lock(project_id: str, resources: Collection[str]) -> None:
    # An UPDATE of several rows locks them in whatever order it meets them; two of them could wait for each other.
    if len(resources) > 1 and connection.features.has_select_for_update:
        _lock_rows(project_id=project_id, resources=list(resources))


_lock_rows: Kept[int] = Kept(
    lambda project_id, resources: QuotaUsage.objects.select_for_update().filter(
        project_id=project_id, resource__in=resources
    ).order_by("resource").values_list("id", flat=True)
)


def _add_missing_rows(project_id: str, resources: Collection[str]) -> bool:
    known = set(
        QuotaUsage.objects.filter(project_id=project_id, resource__in=resources).values_list("resource", flat=True)
    )
    missing = [QuotaUsage(project_id=project_id, resource=name) for name in sorted(resources) if name not in known]
    QuotaUsage.objects.bulk_create(missing, ignore_conflicts=True)
    return bool(missing)


def _exceeded(project_id: str, wanted: Mapping[str, int], ceilings: Mapping[str, int]) -> QuotaExceeded:
    held = usages(project_id, wanted)
    over = sorted(
        resource for resource, amount in wanted.items()
        if ceilings[resource] != UNLIMITED and amount > 0 and held[resource] + amount > ceilings[resource]
    ) or sorted(wanted)  # fmt: skip
    return QuotaExceeded(
        resource=", ".join(over),
        requested=", ".join(str(wanted[name]) for name in over),
        used=", ".join(str(held[name]) for name in over),
        limit=", ".join(str(ceilings[name]) for name in over),
    )
