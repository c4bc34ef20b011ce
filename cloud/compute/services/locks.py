"""The lock that an owner or an operator puts on a server, so that it is not changed by mistake."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from cloud.compute.errors import InstanceLocked
from cloud.compute.models import Instance
from cloud.compute.services import done_operations, graphs
from cloud.core import policy
from cloud.core.clock import database_now
from cloud.core.context import RequestContext

OWNER = "owner"
ADMIN = "admin"


def check_lock(context: RequestContext, instance: Instance) -> None:
    """Refuse to change a locked server, unless for an administrator. Raises InstanceLocked."""
    if instance.locked and not context.is_admin:
        raise InstanceLocked(uuid=instance.uuid)


def lock(context: RequestContext, instance: Instance, reason: str | None = None) -> None:
    """Lock a server. An owner's lock changes nothing on one that is locked already."""
    is_owner = instance.project_id == context.project_id
    rows = Instance.objects.filter(pk=instance.pk, deleted=False)
    if is_owner:
        rows = rows.filter(locked=False)
    changes = {"locked": True, "locked_by": OWNER if is_owner else ADMIN, "locked_reason": reason}
    _change(context, instance, rows, changes, graphs.LOCK)


def unlock(context: RequestContext, instance: Instance) -> None:
    """Unlock a server.

    Raises:
        PolicyNotAuthorized: an operator locked it, and the context is no operator's.
    """
    if instance.locked_by == ADMIN:
        policy.enforce(context, "os_compute_api:os-lock-server:unlock:unlock_override")
    rows = Instance.objects.filter(pk=instance.pk, deleted=False)
    _change(context, instance, rows, {"locked": False, "locked_by": "", "locked_reason": None}, graphs.UNLOCK)


def _change(
    context: RequestContext, instance: Instance, rows: QuerySet[Instance], changes: Mapping[str, Any], action: str
) -> None:
    """Change the lock, and record that among the server's actions as Nova does."""
    with transaction.atomic():
        now = database_now()
        if rows.update(**changes, updated_at=now):
            done_operations.record([instance], action, action, now, context=context)
