"""Ports that were deleted while their servers were busy, or whose hosts failed to let go of them: tried again.

Nothing is concluded from what is not there: only a row that says by itself that it was deleted is touched.
"""

import logging
from datetime import timedelta

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.services import leaving_ports
from cloud.core.clock import database_now
from cloud.core.context import RequestContext, new_request_id
from cloud.networks.selectors.leaving import leaving

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_PAUSE_AFTER_FAILURE = timedelta(minutes=5)


def detach() -> int:
    """Begin to detach one port of each idle server that waits to lose some; return how many were begun."""
    waiting = {server: (server, port_id, position) for server, port_id, position in leaving(_AT_ONCE)}
    if not waiting:
        return 0
    rows = Instance.objects.filter(uuid__in=waiting, task_state=states.IDLE, vm_state__in=states.ALLOW_INTERFACES)
    idle = set(rows.values_list("uuid", flat=True)) - _just_failed(waiting)
    context = RequestContext(new_request_id(), "", is_system=True)
    begun = leaving_ports.detach_later(context, [waiting[one] for one in sorted(idle)])
    if begun:
        _log.info("%d deleted ports are being detached that their servers could not lose before", begun)
    return begun


def _just_failed(servers: dict[str, tuple[str, str, int]]) -> set[str]:
    failed = Operation.objects.filter(
        instance_uuid__in=servers, workflow="detach_interface", state=OperationState.FAILED,
        finished_at__gt=database_now() - _PAUSE_AFTER_FAILURE,
    )
    return set(failed.values_list("instance_uuid", flat=True))
