"""The end of a restore: the server is what it was, or is kept as before."""

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.services import moves, operations
from cloud.conductor.steps import failing
from cloud.conductor.steps.hearing import heard
from cloud.core.clock import database_now
from cloud.identity.services import quotas
from contracts.compute import PowerChanged
from contracts.errors import TENANT_TEXT, ErrorCode


def finish_restore(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """Let the server be ACTIVE when its guest runs."""
    for operation in heard([outcome], operation_id, attempt):
        _finish(operation, outcome.power_state)


def _finish(operation: Operation, power_state: int) -> None:
    with transaction.atomic():
        rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
        changes = {"deleted_at": None, "power_state": power_state, "updated_at": database_now()}
        if not (states.machine.fire(rows, "restored", **changes) and operations.finish(operation)):
            transaction.set_rollback(True)


def fail_restore(operation: Operation, code: str, detail: str = "") -> None:
    """Keep the server as long again as if it were deleted now, so that its owner can try once more."""
    text = f"Restore failed: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"
    with transaction.atomic():
        now = database_now()
        rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
        if not states.machine.fire(rows, "restore_failed", deleted_at=now, updated_at=now):
            transaction.set_rollback(True)  # deleted or reset meanwhile: that decides
            return
        failing.record_fault(operation, text, detail)
        if not operations.fail(operation, code, text, detail):
            transaction.set_rollback(True)
            return
        instance = rows.get()
        quotas.release(instance.project_id, moves.held(instance))


failing.register("restore", fail_restore)
