"""The end of an instance: everything that it held is given back in one transaction, once."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, InstanceTag, Operation, ServerGroupMember, Service, Step
from cloud.compute.models.operations import StepState
from cloud.compute.services import graphs, host_feed, moves, operations, row_locks, step_rows
from cloud.compute.services.host_states import COMPUTE
from cloud.conductor.steps import failing, orders
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.identity.services import quotas
from cloud.images.services import transfers
from cloud.networks.services import allocation
from cloud.placement.services import claims
from contracts.compute import DestroyServer, ServerDestroyed
from contracts.errors import TENANT_TEXT, ErrorCode

_log = logging.getLogger(__name__)
_COLUMNS = ("uuid", "project_id", "flavor", "host", "vm_state", "task_state")
LOCAL_NOTE = "The host is away; what is left there is removed when it returns."


def finish_delete(outcome: ServerDestroyed, operation_id: str, attempt: int) -> None:
    """Delete the instance when its host has removed it. A failure is left to be sent again until its deadline."""
    for operation in operations.enter([operation_id], attempt):
        if outcome.host != operation.host:
            _log.warning("host %r speaks of %s, which is on %r", outcome.host, operation, operation.host)
        elif outcome.is_failure:
            keep_reason(operation, outcome)
        else:
            complete(operation)


def keep_reason(operation: Operation, outcome: ServerDestroyed) -> None:
    """Note why a host could not remove an instance: it is asked again, unless its agent would die of it again."""
    rows = Step.objects.filter(operation=operation, attempt=operation.attempt, name=graphs.DESTROY)
    rows.update(error_code=outcome.error_code, detail=outcome.detail)
    if outcome.error_code == ErrorCode.POISON:
        failing.fail(operation, outcome.error_code, outcome.detail)


def complete(operation: Operation, note: str = "") -> None:
    """Give back all that the instance holds and mark it as deleted. Done once, whoever comes first."""
    uuid = operation.instance_uuid
    instance = Instance.objects.filter(uuid=uuid, deleted=False).only(*_COLUMNS).first()
    if instance is None:
        operations.finish(operation)
        return
    is_skipped = not instance.host or bool(note)
    with transaction.atomic():
        if is_skipped:
            row_locks.hold(operation)
        now = database_now()
        is_counted = states.is_counted(instance.vm_state, instance.task_state)
        migration = moves.unfinished(uuid)
        amounts = moves.held_in(instance, migration) if is_counted else {}
        freed = claims.release([uuid, *([migration.uuid] if migration else [])])
        allocation.release([uuid])
        rows = Instance.objects.filter(uuid=uuid, deleted=False)
        changes = {"deleted": True, "deleted_at": now, "terminated_at": now, "updated_at": now, "power_state": 0}
        if not states.machine.fire(rows, "deleted", **changes):
            transaction.set_rollback(True)
            return
        if migration:
            moves.set_status(migration, moves.last_word(migration))
        InstanceTag.objects.filter(instance_uuid=uuid).delete()
        ServerGroupMember.objects.filter(instance_uuid=uuid).delete()
        if is_skipped:
            step_rows.move([operation], {graphs.DESTROY: StepState.SKIPPED}, now)
        if not operations.finish(operation, message=note):
            transaction.set_rollback(True)
            return
        host_feed.publish(freed)
        # Last, because it is the row that most others wait for.
        quotas.release(instance.project_id, amounts)
    if migration:
        transfers.drop(migration.uuid)


def is_host_away(host: str) -> bool:
    """Tell whether nothing was heard of the host for so long that it counts as down."""
    since = database_now() - timedelta(seconds=settings.HOST_DOWN_AFTER_SECONDS)
    return not Service.objects.filter(
        binary=COMPUTE, host=host, forced_down=False, last_seen_at__gt=since
    ).exists()


def clear_other_host(operation: Operation) -> None:
    """Have the other host of an unfinished move remove what it has; what it misses, its next report brings up."""
    migration = moves.unfinished(operation.instance_uuid)
    others = {migration.source_compute, migration.dest_compute} - {operation.host, ""} if migration else set()
    for host in others:
        fence = {**orders.fence(operation, orders.CLEAN_UP), "host": host}
        rpc.cast(DestroyServer(**fence, is_final=True))


def fail_delete(operation: Operation, code: str, detail: str = "") -> None:
    """A host did not remove an instance in time: without a dead host it is deleted, with a living one it is not."""
    if is_host_away(operation.host):
        complete(operation, note=LOCAL_NOTE)
        return
    with transaction.atomic():
        text = TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])
        rows = Instance.objects.select_for_update().filter(uuid=operation.instance_uuid, deleted=False)
        was = rows.first()
        is_ended = failing.end(operation, code, ("delete_failed",), f"Delete failed: {text}", detail)
        if is_ended and was and not states.is_counted(was.vm_state, was.task_state):
            # It was kept, and is no longer: nobody knows how much of it the host has left.
            rows.update(deleted_at=None)
            quotas.add(was.project_id, moves.held(was))


failing.register("delete", fail_delete)
