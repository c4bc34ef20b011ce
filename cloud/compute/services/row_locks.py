"""In which order rows are locked, so that no two that meet wait for each other.

What is said of a host first, then the hosts of claims, instances, operations, their steps, and last what the project's
quota counts. The row of a move is changed by whoever has locked its instance. The crash matrix looks at every
transaction for this order.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Least

from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.services import moves
from cloud.core.clock import database_now
from cloud.placement.services import claims


def hold(operation: Operation) -> None:
    """Lock what the end of an operation changes. Call it first in a transaction that writes them in another order."""
    hold_server(operation.instance_uuid)
    _lock(Operation.objects.filter(pk=operation.pk))


def hold_server(instance_uuid: str) -> None:
    """Lock a server and the hosts that it, or a move of it, holds anything of. The same, where no operation is."""
    migration = moves.unfinished(instance_uuid)
    claims.lock_holders([instance_uuid, *([migration.uuid] if migration else [])])
    _lock(Instance.objects.filter(uuid=instance_uuid))


def _lock(rows: QuerySet[Any]) -> None:
    list(rows.select_for_update().values_list("pk"))


def update_unlocked(rows: QuerySet[Operation], **columns: Any) -> int:
    """Change those of the rows that nobody is moving on at this moment, without a wait; return how many these are."""
    with transaction.atomic():  # where there is none: PostgreSQL locks nothing outside of one
        unlocked = rows.select_for_update(skip_locked=True).values("pk")
        return Operation.objects.filter(pk__in=unlocked).update(**columns)


def send_soon(rows: QuerySet[Operation], at: datetime | None = None) -> int:
    """Let the current steps of those that run be sent again at a time, by default now; return how many these are.

    What is due earlier stays so. One that is being moved on at this moment sends by itself what comes next.
    """
    running = rows.filter(state=OperationState.RUNNING)
    return update_unlocked(running, resend_at=Least("resend_at", at or database_now()))
