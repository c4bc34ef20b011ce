"""Starting a server that is off."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import StartServer
from contracts.conductor import FINISH_POWER


def start_server(order: StartServer) -> Signature:
    """Return the canvas that switches a guest on."""
    return order_then(order, FINISH_POWER)
