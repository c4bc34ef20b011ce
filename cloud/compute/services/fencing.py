"""Fencing: when it is proven that a host's guests are off, and what must be gone before the host is trusted again.

Silence proves nothing: a host that nobody hears may still run its guests. The proof is a person's word that the
machine is off, and that nothing was heard of it since.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from cloud.compute.errors import HostInUse, HostNotClean, HostNotFenced
from cloud.compute.models import Instance, Migration, Service
from cloud.compute.models.migrations import EVACUATION, LEFT_BEHIND, UNFINISHED, MigrationStatus
from cloud.compute.services.host_states import COMPUTE
from cloud.core.clock import database_now

_SILENT = "is silent, which does not prove that its servers are off"
_NOBODY = "was said to be down by nobody in particular"
_HEARD = "was heard of at {seen:%Y-%m-%d %H:%M:%S} UTC, after it was said to be off"


def check(host: str) -> None:
    """Refuse to take a host for dead without proof. Call it in a transaction: the host's service stays locked.

    Raises:
        HostInUse: it is up. HostNotFenced: it is silent, or speaks although it was said to be off.
    """
    found = hold(host)
    is_forced_down = bool(found and found.forced_down)
    since = database_now() - timedelta(seconds=settings.HOST_DOWN_AFTER_SECONDS)
    if found and not is_forced_down and found.last_seen_at and found.last_seen_at > since:
        raise HostInUse(host=host)
    lack = _lack(found if is_forced_down else None)
    if lack:
        raise HostNotFenced(host=host, lack=lack)


def hold(host: str) -> Service | None:
    """Let nobody change what is said of a host until the transaction ends. Before its claims are locked."""
    return Service.objects.select_for_update().filter(binary=COMPUTE, host=host).first()


def is_proven_off(host: str) -> bool:
    """Tell whether a person said that a host is off, and it was not heard since."""
    found = Service.objects.filter(binary=COMPUTE, host=host, forced_down=True).first()
    return found is not None and not _lack(found)


def _lack(service: Service | None) -> str:
    if service is None:
        return _SILENT
    if service.forced_down_at is None:
        return _NOBODY
    if service.last_seen_at and service.last_seen_at > service.forced_down_at:
        return _HEARD.format(seen=service.last_seen_at)
    return ""


def leave(migration: Migration) -> bool:
    """Note that what a move's new host has is dead; tell whether that host is proven off.

    Call it while you `hold` the host: until this is noted nobody can say that the host is trusted again.
    """
    host = migration.dest_compute
    if not is_proven_off(host):
        return False
    if host != migration.source_compute:
        Migration.objects.filter(pk=migration.pk).update(left_at=database_now())
    return True


def check_clean(host: str) -> None:
    """Refuse to trust a host again that may still have guests of servers which live elsewhere. Raises HostNotClean."""
    if count := _left((host,), (*UNFINISHED, MigrationStatus.DONE)).count():
        raise HostNotClean(host=host, count=count)


def unclean(hosts: Collection[str]) -> set[str]:
    """Return those of the hosts that may still have something which was evacuated, or taken back without their word."""
    rows = _left(hosts).values_list("left_at", "source_compute", "dest_compute")
    return {dest if left_at else source for left_at, source, dest in rows}


def _left(hosts: Collection[str], statuses: Collection[MigrationStatus] = LEFT_BEHIND) -> QuerySet[Migration]:
    """Return the moves in which a host was left that was off, and may have the server still."""
    is_evacuated = Q(migration_type=EVACUATION, source_compute__in=hosts, status__in=statuses)
    return Migration.objects.filter(is_evacuated | Q(dest_compute__in=hosts, left_at__isnull=False))


def left(hosts: Collection[str]) -> set[str]:
    """Return those of the hosts of which there is anything to be found or closed by `left_behind` and `note_gone`."""
    rows = _left(hosts).values_list("source_compute", "dest_compute") if hosts else ()
    return {host for moved in rows for host in moved} & set(hosts)


def left_behind(host: str, seen: set[str]) -> dict[str, bool]:
    """Return those of the instances that a host has which left it while it was off, and whether they are deleted."""
    uuids = set(_left((host,)).values_list("instance_uuid", flat=True))
    if not uuids & seen:
        return {}
    found = Instance.objects.filter(uuid__in=uuids & seen).values_list("uuid", "host", "deleted")
    return {uuid: deleted for uuid, on, deleted in found if deleted or on != host}


def note_gone(host: str, there: set[str], at: datetime) -> None:
    """Close what left a host while it was off and is gone from there for good.

    Args:
        host: the one that speaks.
        there: the instances that it has anything of.
        at: when it looked; what left since then it may still have had.
    """
    rows = _left((host,), (MigrationStatus.DONE,)).exclude(instance_uuid__in=there).values_list("pk", "left_at")
    gone = dict(rows)
    if not gone:
        return
    Migration.objects.filter(pk__in=gone, left_at__lt=at).update(left_at=None)
    evacuated = Migration.objects.filter(pk__in=[pk for pk, left_at in gone.items() if left_at is None])
    evacuated.filter(status=MigrationStatus.DONE, updated_at__lt=at).update(
        status=MigrationStatus.COMPLETED, updated_at=database_now()
    )
