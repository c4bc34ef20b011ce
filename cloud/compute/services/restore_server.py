"""Bring a deleted server back that is kept."""

from django.db import transaction
from django.utils import timezone

from cloud.compute.models import Instance
from cloud.compute.services import moves, operations
from cloud.compute.services.locks import check_lock
from cloud.compute.services.power import conflict
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.identity.services import quotas


def restore(context: RequestContext, instance: Instance) -> None:
    """Begin to start a soft-deleted server again; from now on its project's quota counts it.

    Raises:
        InstanceLocked, StateConflict, QuotaExceeded
    """
    check_lock(context, instance)
    with transaction.atomic():
        rows = Instance.objects.filter(pk=instance.pk, deleted=False)
        if not machine.fire(rows, "restore", updated_at=timezone.now()):
            raise conflict(instance, "restore", "restore")
        instance.refresh_from_db(fields=["host", "flavor"])
        operations.begin(context, [instance], "restore", "restore")
        # Last, because it is the row that most others wait for.
        quotas.reserve(instance.project_id, moves.held(instance))
