"""Making, changing and removing host aggregates, and their hosts.

A host is in one availability zone at most, and does not leave it while servers are there.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from cloud.compute.errors import AggregateHostExists, AggregateNameExists, AggregateNotFound, HostNotFound
from cloud.compute.models import Aggregate, AggregateHost, Instance, Service
from cloud.compute.selectors.aggregates import AggregateRow
from cloud.compute.selectors.services import COMPUTE
from cloud.compute.selectors.zones import DEFAULT_ZONE, ZONE_KEY
from cloud.compute.services import host_feed
from cloud.core.errors import Conflict, Invalid, NotFound


def create_aggregate(name: str, zone: str | None) -> Aggregate:
    """Make an aggregate; with a zone, its hosts will be in it.

    Raises:
        AggregateNameExists
    """
    return _save(Aggregate(name=name, metadata={ZONE_KEY: zone} if zone else {}))


def update_aggregate(row: AggregateRow, changes: Mapping[str, str | None]) -> None:
    """Change name or zone; a zone of None takes the hosts out of it.

    Raises:
        AggregateNameExists
        Invalid: the hosts cannot change their zone.
    """
    with transaction.atomic():
        _lock(row, row.hosts)
        if ZONE_KEY in changes:
            _merge(row, {ZONE_KEY: changes[ZONE_KEY]}, "update aggregate")
        row.aggregate.name = changes.get("name") or row.aggregate.name
        _save(row.aggregate)
        host_feed.publish(row.hosts)


def set_metadata(row: AggregateRow, metadata: Mapping[str, str | None]) -> None:
    """Merge metadata; None removes a key.

    Raises:
        Invalid: the hosts cannot change their zone.
    """
    with transaction.atomic():
        _lock(row, row.hosts)
        _merge(row, metadata, "update aggregate metadata")
        _save(row.aggregate)
        host_feed.publish(row.hosts)


def delete_aggregate(row: AggregateRow) -> None:
    """Remove an aggregate.

    Raises:
        Invalid: it has hosts.
    """
    with transaction.atomic():
        _lock(row, [])
        if AggregateHost.objects.filter(aggregate=row.aggregate).exists():
            raise Invalid(_cannot("delete", row, "Host aggregate is not empty."))
        row.aggregate.delete()


def add_host(row: AggregateRow, host: str) -> None:
    """Put a host into an aggregate.

    Raises:
        HostNotFound
        AggregateHostExists
        Conflict: the host is in another zone, or servers are on it.
    """
    if not Service.objects.filter(host=host, binary=COMPUTE).exists():
        raise HostNotFound(host=host)
    with transaction.atomic():
        _lock(row, [host])
        reason = _zone_obstacle(row.aggregate, [host], None, row.aggregate.metadata.get(ZONE_KEY))
        if reason:
            raise Conflict(_cannot("add_host_to_aggregate", row, reason))
        _, is_new = AggregateHost.objects.get_or_create(aggregate=row.aggregate, host=host)
        if not is_new:
            raise AggregateHostExists(aggregate_id=row.aggregate.id, host=host)
        _save(row.aggregate)
        host_feed.publish([host])


def remove_host(row: AggregateRow, host: str) -> None:
    """Take a host out of an aggregate.

    Raises:
        NotFound: it is not in it.
        Conflict: it would leave its zone while servers are on it.
    """
    with transaction.atomic():
        _lock(row, [host])
        member = AggregateHost.objects.filter(aggregate=row.aggregate, host=host)
        if not member.exists():
            raise NotFound(f"Cannot remove host {host} in aggregate {row.aggregate.id}")
        reason = _zone_obstacle(row.aggregate, [host], row.aggregate.metadata.get(ZONE_KEY), None)
        if reason:
            raise Conflict(_cannot("remove_host_from_aggregate", row, reason))
        member.delete()
        _save(row.aggregate)
        host_feed.publish([host])


def _lock(row: AggregateRow, hosts: Collection[str]) -> None:
    """Keep others from the aggregate, and from moving these hosts, until the transaction ends; read it anew."""
    found = Aggregate.objects.select_for_update().filter(pk=row.aggregate.pk).first()
    if found is None:
        raise AggregateNotFound(aggregate_id=row.aggregate.pk)
    row.aggregate.name, row.aggregate.metadata = found.name, found.metadata
    locked = Service.objects.select_for_update().filter(binary=COMPUTE, host__in=hosts)
    list(locked.order_by("id").values_list("id"))


def _merge(row: AggregateRow, changes: Mapping[str, str | None], action: str) -> None:
    aggregate = row.aggregate
    if ZONE_KEY in changes:
        reason = _zone_obstacle(aggregate, row.hosts, aggregate.metadata.get(ZONE_KEY), changes[ZONE_KEY])
        if reason:
            raise Invalid(_cannot(action, row, reason))
    merged: dict[str, Any] = {**aggregate.metadata, **changes}
    aggregate.metadata = {key: value for key, value in merged.items() if value is not None}


def _zone_obstacle(aggregate: Aggregate, hosts: Collection[str], old: str | None, new: str | None) -> str:
    """Return why these hosts cannot change the zone that an aggregate gives them; '' if they can."""
    others = AggregateHost.objects.filter(host__in=hosts, aggregate__metadata__has_key=ZONE_KEY)
    pairs = others.exclude(aggregate=aggregate).values_list("host", f"aggregate__metadata__{ZONE_KEY}")
    elsewhere = {host: zone for host, zone in pairs if zone}
    clashing = set(elsewhere.values()) - {new}
    if new and clashing:
        return f"One or more hosts already in availability zone(s) {sorted(clashing)}"
    moving = set(hosts) - set(elsewhere) if (old or DEFAULT_ZONE) != (new or DEFAULT_ZONE) else set()
    if moving and Instance.objects.filter(host__in=moving, deleted=False).exists():
        return "One or more hosts contain instances in this zone"
    return ""


def _cannot(action: str, row: AggregateRow, reason: str) -> str:
    return f"Cannot perform action '{action}' on aggregate {row.aggregate.id}. Reason: {reason}."


def _save(aggregate: Aggregate) -> Aggregate:
    is_new = aggregate.pk is None
    aggregate.updated_at = None if is_new else timezone.now()
    try:
        with transaction.atomic():
            aggregate.save(force_insert=is_new)
    except IntegrityError:
        raise AggregateNameExists(name=aggregate.name) from None
    return aggregate
