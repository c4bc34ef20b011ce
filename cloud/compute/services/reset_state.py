"""Let an operator say what state a server is in."""

from django.db import transaction
from django.utils import timezone

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.models.operations import OperationState
from cloud.compute.services import giving_up, host_feed, moves, operations, row_locks
from cloud.compute.services.snapshot_server import drop_unfinished
from cloud.compute.states import machine
from cloud.core.clock import database_now
from cloud.identity.services import quotas

# The server is still where it was.
_BEFORE = frozenset({MigrationStatus.PRE_MIGRATING, MigrationStatus.MIGRATING})
# What an operator may say -> event.
EVENTS = {states.ACTIVE: "reset_active", states.ERROR: "reset_error"}


def reset(instance: Instance, state: str) -> None:
    """Put a server in a state with nothing under way; what was under way is given up."""
    with transaction.atomic():
        row_locks.hold_server(instance.uuid)
        now_is = Instance.objects.filter(pk=instance.pk, deleted=False).first()
        if now_is is None:
            return
        machine.fire(
            Instance.objects.filter(pk=instance.pk), EVENTS[state], updated_at=timezone.now(), deleted_at=None
        )
        under_way = list(Operation.objects.filter(instance_uuid=instance.uuid, state=OperationState.RUNNING))
        operations.supersede([instance.uuid], "reset-state", database_now())
        giving_up.give_up(under_way)
        _settle(instance.uuid)
        drop_unfinished(instance.uuid)
        if not states.is_counted(now_is.vm_state, now_is.task_state):
            # It is there, whatever the limit says: as in Nova an operator's word asks no quota.
            quotas.add(now_is.project_id, moves.held(now_is))


def _settle(instance_uuid: str) -> None:
    """End an unfinished move where the server is: an operator's word stands above it."""
    migration = moves.unfinished(instance_uuid)
    if migration is None:
        return
    host = Instance.objects.filter(uuid=instance_uuid).values_list("host", flat=True).get()
    is_moved = host == migration.dest_compute and migration.status not in _BEFORE
    host_feed.publish(moves.stay(migration, moves.last_word(migration)) if is_moved else moves.give_up(migration))
