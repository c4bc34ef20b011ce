"""Deleting, and changes of power: one order to the host, one step that writes down what came of it."""

from celery import chain
from celery.canvas import Signature

from cloud.conductor.workflows.failure import on_failure
from cloud.core import rpc
from contracts.compute import DestroyServer, RebootServer, StartServer, StopServer
from contracts.conductor import FINISH_DELETE, FINISH_POWER
from contracts.envelope import Order


def delete_server(order: DestroyServer) -> Signature:
    """Return the canvas that removes an instance from its host and then from the books."""
    return order_then(order, FINISH_DELETE)


def change_power(order: StopServer | StartServer | RebootServer) -> Signature:
    """Return the canvas that stops, starts or reboots an instance."""
    return order_then(order, FINISH_POWER)


def order_then(order: Order, finish: str) -> Signature:
    """Return the canvas of one order and the step that hears what came of it."""
    last = rpc.step(finish, operation_id=order.operation_id, attempt=order.attempt)
    return chain(rpc.on_host(order), last).on_error(on_failure([order.operation_id], order.attempt))
