"""Deleting a server that is kept for a while: its guest is stopped."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import StopServer
from contracts.conductor import FINISH_SOFT_DELETE


def soft_delete(order: StopServer) -> Signature:
    """Return the canvas that stops an instance, which can be restored then."""
    return order_then(order, FINISH_SOFT_DELETE)
