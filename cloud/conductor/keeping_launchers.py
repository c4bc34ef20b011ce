"""What to send to keep a deleted server, and to bring it back, from wherever its rows say that it stands."""

from collections.abc import Iterator, Sequence

from celery.canvas import Signature

from cloud.compute.services import graphs
from cloud.conductor.standings import standings, with_servers
from cloud.conductor.steps import orders
from cloud.conductor.steps import soft_deleting as soft_deleting_steps
from cloud.conductor.steps.deleting import is_host_away
from cloud.conductor.workflows import restoring, soft_deleting
from cloud.core import rpc
from contracts.compute import StartServer, StopServer


@rpc.register_workflow("soft_delete")
def soft_delete(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Have the guest stopped; a host that is away does so when it is back."""
    for one in standings(operation_ids):
        if is_host_away(one.operation.host):
            soft_deleting_steps.complete(one.operation, note=soft_deleting_steps.AWAY_NOTE)
        else:
            yield soft_deleting.soft_delete(StopServer(**orders.fence(one.operation, graphs.POWER)))


@rpc.register_workflow("restore")
def restore(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Start the guest from a definition made anew."""
    for one, server in with_servers(operation_ids):
        yield restoring.restore(StartServer(server=server, **orders.fence(one.operation, graphs.POWER)))
