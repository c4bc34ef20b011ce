"""What to send to attach or detach an interface: in both cases the server with the interfaces that it shall have."""

from collections.abc import Iterator, Sequence

from celery.canvas import Signature

from cloud.compute.services import graphs
from cloud.conductor.standings import with_servers
from cloud.conductor.steps import interfaces as steps
from cloud.conductor.steps import orders
from cloud.conductor.workflows import interfaces
from cloud.core import rpc
from contracts.compute import SetInterfaces


@rpc.register_workflow("attach_interface")
@rpc.register_workflow("detach_interface")
def set_interfaces(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Have the host plug what is missing and unplug what shall go."""
    for one, server in with_servers(operation_ids):
        wanted = steps.as_planned(one.operation, server)
        yield interfaces.set_interfaces(
            SetInterfaces(server=wanted, **orders.fence(one.operation, graphs.SET_INTERFACES))
        )
