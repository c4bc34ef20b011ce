"""The end of a snapshot."""

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.services import operations
from cloud.compute.services.snapshot_server import drop_unfinished
from cloud.conductor.steps import failing
from cloud.conductor.steps.hearing import heard
from cloud.core.clock import database_now
from cloud.images.models import Image
from contracts.compute import SnapshotSent
from contracts.errors import TENANT_TEXT, ErrorCode


def finish_snapshot(outcome: SnapshotSent, operation_id: str, attempt: int) -> None:
    """Let the server be idle again, if the image has its data: the host's word alone does not count."""
    for operation in heard([outcome], operation_id, attempt):
        if not Image.objects.filter(id=operation.plan["image_id"], status="active").exists():
            failing.fail(operation, ErrorCode.TRANSFER_FAILED, "the image has no data")
        else:
            _finish(operation)


def _finish(operation: Operation) -> None:
    with transaction.atomic():
        rows = Instance.objects.filter(uuid=operation.instance_uuid, deleted=False)
        moved = states.machine.fire(rows, "snapshot_ended", updated_at=database_now())
        if not (moved and operations.finish(operation)):
            transaction.set_rollback(True)


def fail_snapshot(operation: Operation, code: str, detail: str = "") -> None:
    """Remove the image that got no data; the server is as it was."""
    text = f"The image could not be made: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"
    with transaction.atomic():
        drop_unfinished(operation.instance_uuid)
        failing.end(operation, code, ("snapshot_ended",), text, detail)


failing.register("snapshot", fail_snapshot)
