"""Deleting a server: its host removes what it has of it, then it goes from the books."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import DestroyServer
from contracts.conductor import FINISH_DELETE


def delete_server(order: DestroyServer) -> Signature:
    """Return the canvas that removes an instance from its host and then from the books."""
    return order_then(order, FINISH_DELETE)
