"""A server whose host has no such guest: said twice by the host, and nothing was done to the server since before."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, InstanceFault, Operation
from cloud.compute.models.operations import OperationState
from cloud.core.clock import database_now

_log = logging.getLogger(__name__)
# A host's clock and the time that its answer takes.
_SLACK = timedelta(seconds=5)
_TEXT = "The server's guest is not on its host any more. A hard reboot or a rebuild makes it anew."


def mark(host: str, domains: Collection[str], since: datetime) -> int:
    """Let the servers of a host that are missing from what it said since then be in ERROR; return how many."""
    due = Instance.objects.filter(
        host=host, deleted=False, task_state=states.IDLE, vm_state__in=states.WITH_GUEST, updated_at__lt=since - _SLACK
    )
    missing = sorted(set(due.values_list("uuid", flat=True)) - set(domains))
    busy = Operation.objects.filter(instance_uuid__in=missing, state=OperationState.RUNNING)
    lost = sorted(set(missing) - set(busy.values_list("instance_uuid", flat=True))) if missing else []
    for uuid in lost:
        _log.warning("host %s has no guest of server %s", host, uuid)
        with transaction.atomic():
            if states.machine.fire(due.filter(uuid=uuid), "guest_lost", updated_at=database_now()):
                InstanceFault.objects.create(instance_uuid=uuid, message=_TEXT, details=f"host: {host}")
    return len(lost)
