"""Availability zones: what an aggregate's metadata make of its hosts."""

from collections.abc import Collection

from django.db.models.fields.json import KeyTransform

from cloud.compute.models import AggregateHost

DEFAULT_ZONE = "nova"
INTERNAL_ZONE = "internal"
ZONE_KEY = "availability_zone"


def zones_by_host(hosts: Collection[str] | None = None) -> dict[str, str]:
    """Return the zone of each host that an aggregate puts into one; the others are in the default zone. One query.

    `hosts`: their names; None for all.
    """
    rows = AggregateHost.objects.filter(aggregate__metadata__has_key=ZONE_KEY)
    if hosts is not None:
        rows = rows.filter(host__in=list(hosts))
    # The first aggregate counts, so the last one is put in first.
    pairs = rows.order_by("-aggregate_id").values_list("host", KeyTransform(ZONE_KEY, "aggregate__metadata"))
    return {host: zone for host, zone in pairs if zone}


def zone_of(host: str) -> str:
    """Return a host's zone."""
    return zones_by_host([host]).get(host, DEFAULT_ZONE)
