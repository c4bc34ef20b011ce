"""How far hosts shall be with their networks, and how far they are; and whose turn it is to be told."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Greatest

from cloud.core.clock import database_now
from cloud.networks.models import HostNetworkState


def version_at(moment: datetime) -> int:
    """Return the version that a document of this moment would have: microseconds."""
    return int(moment.timestamp() * 1_000_000)


def want(now: Collection[str], later: Collection[str] = ()) -> dict[str, int]:
    """Give hosts a newer version; return those of the hosts that are to be told now. The others wait for their turn.

    It is the database's time, so that one restored from a backup is ahead of them as well. The number of a change is no
    version: one that commits late would be older than what its host has already.
    """
    hosts = sorted({*now, *later})
    HostNetworkState.objects.bulk_create([HostNetworkState(host=host) for host in hosts], ignore_conflicts=True)
    rows = HostNetworkState.objects.filter(host__in=hosts).select_for_update().order_by("host")
    version, moment = _next(dict(rows.values_list("host", "wanted")))
    HostNetworkState.objects.filter(host__in=now).update(wanted=version, told_at=moment)
    if later:
        # Who waits already keeps his place. Who was told and has not answered is told again if he does not.
        waiting = Q(told_at=None, wanted__gt=F("applied"))
        told = When(wanted__gt=F("applied"), then="told_at")
        others = HostNetworkState.objects.filter(host__in=later).exclude(waiting)
        others.update(wanted=version, told_at=Case(told, default=None))
    return dict.fromkeys(sorted(now), version)


def _next(wanted: Mapping[str, int]) -> tuple[int, datetime]:
    now = database_now()
    return max([version_at(now), *(version + 1 for version in wanted.values())]), now


def waiting() -> QuerySet[HostNetworkState]:
    """Return the hosts that are to be told in their turn."""
    return HostNetworkState.objects.filter(told_at=None, wanted__gt=F("applied"))


def whose_turn(hosts: QuerySet[Any, Any], most: int) -> dict[str, int]:
    """Return the versions of those of these hosts that have waited longest; they count as told now."""
    with transaction.atomic():
        rows = waiting().filter(host__in=hosts).order_by("wanted", "host").select_for_update(skip_locked=True)
        found = dict(rows.values_list("host", "wanted")[:most])
        if not found:
            return {}
        version, moment = _next(found)
        HostNetworkState.objects.filter(host__in=found).update(wanted=version, told_at=moment)
    return dict.fromkeys(found, version)


def waited(hosts: QuerySet[Any, Any]) -> tuple[int, float]:
    """Return how many of these hosts wait for their turn, and for how many seconds the first of them does."""
    found = waiting().filter(host__in=hosts).aggregate(count=Count("host"), first=Min("wanted"))
    if not found["count"]:
        return 0, 0.0
    return found["count"], (version_at(database_now()) - found["first"]) / 1_000_000


def under_way(seconds: float) -> int:
    """Return how many hosts were told within this time and have not said yet that they are as they shall be."""
    since = database_now() - timedelta(seconds=seconds)
    return HostNetworkState.objects.filter(wanted__gt=F("applied"), told_at__gte=since).count()


def applied(versions: Mapping[str, int]) -> list[str]:
    """Note that hosts are as far as these versions; return those that are further than they can be."""
    with transaction.atomic():
        now = database_now()
        rows = HostNetworkState.objects.filter(host__in=versions).select_for_update().order_by("host")
        wanted = dict(rows.values_list("host", "wanted"))
        alike: dict[int, list[str]] = defaultdict(list)
        for host, version in versions.items():
            if wanted.get(host, 0) >= version:
                alike[version].append(host)
        for version, hosts in alike.items():
            is_first = When(applied__lt=version, then=Value(now))
            HostNetworkState.objects.filter(host__in=hosts).update(
                applied=Greatest("applied", Value(version)), applied_at=Case(is_first, default="applied_at"), error=""
            )
    return [host for host, version in versions.items() if wanted.get(host, version) < version]
