"""Taking a server back to the host that it came from: by its owner's word, or because its move failed half-way."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import TakeBackServer, VacateServer
from contracts.conductor import BEGIN_TAKE_BACK, FINISH_REVERT


def vacate(order: VacateServer) -> Signature:
    """Return the canvas that frees the new host; its end launches the next one. Never two hosts have the guest."""
    return order_then(order, BEGIN_TAKE_BACK)


def take_back(order: TakeBackServer) -> Signature:
    """Return the canvas that puts the server in its old place."""
    return order_then(order, FINISH_REVERT)
