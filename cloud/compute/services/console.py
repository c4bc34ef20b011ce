"""Read a server's console log from its host."""

import math

from cloud.compute.errors import ConsoleUnavailable, InstanceNotReady
from cloud.compute.models import Instance
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.context import RequestContext
from cloud.core.models import new_uuid
from contracts.compute import GetConsoleOutput

TIMEOUT_SECONDS = 10.0


def console_output(context: RequestContext, instance: Instance, length: int | None) -> str:
    """Return the end of the log.

    Args:
        context: who asks.
        instance: the server.
        length: how many lines; None or a negative number for all that is kept.

    Raises:
        InstanceNotReady: it is on no host yet. ConsoleUnavailable: the host has no log of it.
        Unavailable: the host does not answer.
    """
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)
    order = GetConsoleOutput(
        operation_id=new_uuid(),
        step="get_console_output",
        instance_uuid=instance.uuid,
        host=instance.host,
        attempt=1,
        not_after=math.ceil(database_now().timestamp() + TIMEOUT_SECONDS),
        request_id=context.request_id,
        length=-1 if length is None or length < 0 else length,
    )
    outcome = rpc.call(order, TIMEOUT_SECONDS)
    if outcome.is_failure:
        raise ConsoleUnavailable(uuid=instance.uuid)
    return outcome.output
