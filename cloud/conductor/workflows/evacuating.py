"""Evacuating a server: a host is claimed, gets the image, and makes the server of it; or leaves it alone again."""

from celery import chain
from celery.canvas import Signature

from cloud.conductor.workflows.failure import on_failure
from cloud.conductor.workflows.ordering import order_then
from cloud.core import rpc
from contracts.compute import DestroyServer, PrepareImage, RebuildServer
from contracts.conductor import BEGIN_EVACUATION, CLAIM_EVACUATION, FINISH_EVACUATION, LEAVE_HOST
from contracts.scheduling import SelectDestinations


def place_evacuation(message: SelectDestinations) -> Signature:
    """Return the canvas that asks the scheduler and claims what it chose."""
    (operation_id,) = message.operation_ids
    claim = rpc.step(CLAIM_EVACUATION, operation_id=operation_id, attempt=message.attempt)
    canvas = chain(rpc.to_scheduler(message, SelectDestinations.NAME), claim)
    return canvas.on_error(on_failure([operation_id], message.attempt))


def fetch_image(order: PrepareImage) -> Signature:
    """Return the canvas that brings the image to the new host; its end launches the next one."""
    return order_then(order, BEGIN_EVACUATION)


def make_server(order: RebuildServer) -> Signature:
    """Return the canvas that makes the server on its new host."""
    return order_then(order, FINISH_EVACUATION)


def leave_host(order: DestroyServer) -> Signature:
    """Return the canvas that removes what a host that failed may have made; its end chooses what comes next."""
    return order_then(order, LEAVE_HOST)
