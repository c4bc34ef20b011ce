"""Restoring a deleted server that was kept: its guest is started again."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import StartServer
from contracts.conductor import FINISH_RESTORE


def restore(order: StartServer) -> Signature:
    """Return the canvas that starts an instance which was deleted and kept."""
    return order_then(order, FINISH_RESTORE)
