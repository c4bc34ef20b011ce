"""Rebooting a server, softly or hard."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import RebootServer
from contracts.conductor import FINISH_POWER


def reboot_server(order: RebootServer) -> Signature:
    """Return the canvas that reboots a guest."""
    return order_then(order, FINISH_POWER)
