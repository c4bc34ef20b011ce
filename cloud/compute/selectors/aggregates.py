"""Reading host aggregates."""

from dataclasses import dataclass, field

from cloud.compute.errors import AggregateNotFound
from cloud.compute.models import Aggregate, AggregateHost

_MOST_DIGITS = 18


@dataclass(frozen=True)
class AggregateRow:
    """An aggregate with the names of its hosts."""

    aggregate: Aggregate
    hosts: list[str] = field(default_factory=list)


def list_aggregates() -> list[AggregateRow]:
    """Return all aggregates by id. Two queries."""
    rows = Aggregate.objects.order_by("id").prefetch_related("hosts")
    return [AggregateRow(one, sorted(member.host for member in one.hosts.all())) for one in rows]


def get_aggregate(aggregate_id: str) -> AggregateRow:
    """Return an aggregate by its number.

    Raises:
        AggregateNotFound
    """
    number = int(aggregate_id) if len(aggregate_id) <= _MOST_DIGITS else -1
    found = Aggregate.objects.filter(id=number).first()
    if found is None:
        raise AggregateNotFound(aggregate_id=aggregate_id[:100])
    hosts = AggregateHost.objects.filter(aggregate=found).order_by("host").values_list("host", flat=True)
    return AggregateRow(found, list(hosts))
