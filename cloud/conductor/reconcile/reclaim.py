"""Servers that were deleted and kept: off as long as they are kept, and deleted for good after a while.

Nothing is concluded from what is not there: only a row that says by itself since when it is soft-deleted is touched.
"""

import logging
import uuid
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.compute.services import operations
from cloud.conductor.reconcile import restored
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.context import RequestContext, new_request_id
from contracts.compute import COMMANDS, StopServer
from contracts.conductor import InstancePower, PowerReport

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_RUNNING = 1


def reclaim() -> int:
    """Begin to delete what is soft-deleted for longer than the interval, by the database's clock; return how many.

    Two of these at the same time do no harm: each server is taken by a compare-and-swap on its state.
    """
    due = list(kept_too_long().order_by("deleted_at")[:_AT_ONCE])
    return 0 if not due or restored.is_older() else sum(map(_delete, due))


def kept_too_long() -> QuerySet[Instance]:
    """Return the soft-deleted servers that have been kept for as long as this cloud promises."""
    seconds = settings.RECLAIM_INSTANCE_INTERVAL
    if seconds <= 0:
        return _kept().none()
    return _kept().filter(deleted_at__lte=database_now() - timedelta(seconds=seconds))


def _kept() -> QuerySet[Instance]:
    return Instance.objects.filter(deleted=False, vm_state=states.SOFT_DELETED, task_state=states.IDLE)


def _delete(instance: Instance) -> int:
    context = RequestContext(new_request_id(), "", project_id=instance.project_id)
    with transaction.atomic():
        rows = kept_too_long().filter(pk=instance.pk)
        if not states.machine.fire(rows, "delete", updated_at=database_now()):
            return 0
        operations.begin(context, [instance], "delete", "delete")
    _log.info("server %s was deleted at %s and is kept no longer", instance.uuid, instance.deleted_at)
    return 1


def keep_off(reports: Collection[PowerReport]) -> int:
    """Have hosts stop guests that run though their servers are soft-deleted, as when they were away; return how many.

    Args:
        reports: what hosts saw, one of each.
    """
    said = {one.host: one for one in reports if any(_runs(seen) for seen in one.instances)}
    if not said:
        return 0
    running = {(host, seen.instance_uuid) for host, one in said.items() for seen in one.instances if _runs(seen)}
    kept = _kept().filter(host__in=said).values_list("host", "uuid", "updated_at")
    late = {(host, uuid) for host, uuid, at in kept if at.timestamp() <= said[host].reported_at}
    return sum(_stop(host, instance_uuid) for host, instance_uuid in sorted(running & late))


def _runs(seen: InstancePower) -> bool:
    return seen.power_state == _RUNNING


def _stop(host: str, instance_uuid: str) -> int:
    with transaction.atomic():
        # What restores the server waits for this, and is the later operation for its host.
        if not _kept().filter(uuid=instance_uuid, host=host).update(power_state=_RUNNING):
            return 0
        now = database_now()
        lasting = timedelta(seconds=COMMANDS[StopServer.NAME].timing.deadline_seconds)
        rpc.cast(StopServer(
            operation_id=str(uuid.uuid4()), step="keep_off", instance_uuid=instance_uuid, host=host, attempt=1,
            not_after=(now + lasting).timestamp(), begun_at=now.timestamp(),
        ))  # fmt: skip
    _log.warning("host %s runs the guest of server %s, which is soft-deleted: ordering to stop it", host, instance_uuid)
    return 1
