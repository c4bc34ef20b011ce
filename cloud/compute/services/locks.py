"""The lock that an owner or an operator puts on a server, so that it is not changed by mistake."""

from django.utils import timezone

from cloud.compute.errors import InstanceLocked
from cloud.compute.models import Instance
from cloud.core import policy
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
    rows = Instance.objects.filter(pk=instance.pk)
    if is_owner:
        rows = rows.filter(locked=False)
    rows.update(
        locked=True, locked_by=OWNER if is_owner else ADMIN, locked_reason=reason, updated_at=timezone.now()
    )


def unlock(context: RequestContext, instance: Instance) -> None:
    """Unlock a server.

    Raises:
        PolicyNotAuthorized: an operator locked it, and the context is no operator's.
    """
    if instance.locked_by == ADMIN:
        policy.enforce(context, "os_compute_api:os-lock-server:unlock:unlock_override")
    Instance.objects.filter(pk=instance.pk).update(
        locked=False, locked_by="", locked_reason=None, updated_at=timezone.now()
    )
