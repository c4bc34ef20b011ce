"""Delete a server, whatever it is doing."""

from django.db import transaction
from django.utils import timezone

from cloud.compute.models import Instance
from cloud.compute.services import operations
from cloud.compute.services.locks import check_lock
from cloud.compute.services.snapshot_server import drop_unfinished
from cloud.compute.states import machine
from cloud.core.context import RequestContext


def delete(context: RequestContext, instance: Instance) -> None:
    """Begin to delete; a server that is being deleted already is left to that.

    Raises:
        InstanceLocked
    """
    check_lock(context, instance)
    with transaction.atomic():
        rows = Instance.objects.filter(pk=instance.pk, deleted=False)
        if machine.fire(rows, "delete", updated_at=timezone.now()):
            operations.begin(context, [instance], "delete", "delete")
            drop_unfinished(instance.uuid)
