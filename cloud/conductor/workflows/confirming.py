"""Confirming a move: the old host removes what it had set aside."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import DropAside
from contracts.conductor import FINISH_CONFIRM


def drop_aside(order: DropAside) -> Signature:
    """Return the canvas that ends a move for good."""
    return order_then(order, FINISH_CONFIRM)
