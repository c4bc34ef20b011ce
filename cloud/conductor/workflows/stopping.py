"""Stopping a server: the power button, then the power."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import StopServer
from contracts.conductor import FINISH_POWER


def stop_server(order: StopServer) -> Signature:
    """Return the canvas that switches a guest off."""
    return order_then(order, FINISH_POWER)
