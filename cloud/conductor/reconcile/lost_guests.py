"""A server whose host has no such guest: said twice by the host, and nothing was done to the server since before.

One that was deleted and is kept needs no guest, which a restore makes anew, but its disks: without them its owner is
told so, and it stays what it is.
"""

import logging
from collections.abc import Collection, Mapping
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
_KEPT_TEXT = "The server's disks are not on its host any more: it cannot be restored."


def lacks(living: Mapping[str, str], domains: Collection[str], disks: Collection[str]) -> bool:
    """Tell whether `mark` may find anything.

    Args:
        living: the states of all servers of a host, by uuid.
        domains: the guests that it named of late.
        disks: those whose disks it named.
    """
    there = {uuid: domains for uuid, vm_state in living.items() if vm_state in states.WITH_GUEST}
    there |= {uuid: disks for uuid, vm_state in living.items() if vm_state == states.SOFT_DELETED}
    return any(uuid not in named for uuid, named in there.items())


def mark(host: str, domains: Collection[str], disks: Collection[str], since: datetime) -> int:
    """Let the servers of a host that are missing from what it said since then be in ERROR; return how many."""
    due = Instance.objects.filter(
        host=host, deleted=False, task_state=states.IDLE, vm_state__in=states.WITH_GUEST | {states.SOFT_DELETED},
        updated_at__lt=since - _SLACK,
    )  # fmt: skip
    known = dict(due.values_list("uuid", "vm_state"))
    kept = {uuid for uuid, vm_state in known.items() if vm_state == states.SOFT_DELETED}
    _tell_of_kept(host, kept - set(disks))
    missing = sorted(set(known) - kept - set(domains))
    busy = Operation.objects.filter(instance_uuid__in=missing, state=OperationState.RUNNING)
    lost = sorted(set(missing) - set(busy.values_list("instance_uuid", flat=True))) if missing else []
    for uuid in lost:
        _log.warning("host %s has no guest of server %s", host, uuid)
        with transaction.atomic():
            if states.machine.fire(due.filter(uuid=uuid), "guest_lost", updated_at=database_now()):
                InstanceFault.objects.create(instance_uuid=uuid, message=_TEXT, details=f"host: {host}")
    return len(lost)


def _tell_of_kept(host: str, missing: set[str]) -> None:
    """Note, once for each, that these deleted servers, which are kept, have no disks any more."""
    if not missing:
        return
    told = InstanceFault.objects.filter(instance_uuid__in=missing, message=_KEPT_TEXT)
    lost = sorted(missing - set(told.values_list("instance_uuid", flat=True)))
    for uuid in lost:
        _log.warning("host %s has no disks of server %s, which was deleted and is kept", host, uuid)
    InstanceFault.objects.bulk_create(
        InstanceFault(instance_uuid=uuid, message=_KEPT_TEXT, details=f"host: {host}") for uuid in lost
    )
