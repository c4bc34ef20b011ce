"""Orders that no step row owns, between the commit that decides them and the broker.

An operation needs no such row: it is one itself, and is sent again when it is silent. A clean-up is waited for by
nobody, so what is not sent would never be missed.
"""

from datetime import UTC, datetime, timedelta

from cloud.core.clock import database_now
from cloud.core.models import UnsentOrder
from contracts.compute import COMMANDS
from contracts.envelope import Order

# Long enough for whoever committed it to send it first.
PATIENCE_SECONDS = 10.0
AT_ONCE = 200


def put(order: Order) -> UnsentOrder:
    """Record an order in the caller's transaction."""
    now = database_now()
    return UnsentOrder.objects.create(
        name=order.NAME,
        host=order.host,
        instance_uuid=order.instance_uuid,
        wire=order.to_wire(),
        created_at=now,
        send_at=now + timedelta(seconds=PATIENCE_SECONDS),
        not_after=datetime.fromtimestamp(order.not_after, UTC),
    )


def order_of(row: UnsentOrder) -> Order:
    """Return the order of a row."""
    return COMMANDS[row.name].order.from_wire(row.wire)


def remove(row: UnsentOrder) -> None:
    """Forget an order that the broker has."""
    UnsentOrder.objects.filter(pk=row.pk).delete()


def due(now: datetime) -> list[UnsentOrder]:
    """Return what was not sent in time and is of use still."""
    return list(UnsentOrder.objects.filter(send_at__lte=now, not_after__gt=now).order_by("send_at")[:AT_ONCE])


def put_off(row: UnsentOrder, now: datetime) -> bool:
    """Take a row for one sending, by a compare-and-swap on its time; tell whether nobody else did."""
    rows = UnsentOrder.objects.filter(pk=row.pk, send_at=row.send_at)
    return bool(rows.update(send_at=now + timedelta(seconds=PATIENCE_SECONDS)))


def drop_late(now: datetime) -> int:
    """Forget what no host would carry out any more; return how many orders that were."""
    count, _ = UnsentOrder.objects.filter(not_after__lte=now).delete()
    return int(count)
