"""Moving a server: a host is claimed, the old one sets the server aside and sends it, the new one lands it."""

from celery import chain
from celery.canvas import Signature

from cloud.conductor.workflows.failure import on_failure
from cloud.conductor.workflows.ordering import all_then, order_then
from cloud.core import rpc
from contracts.compute import LandServer, PlugVifs, ReceiveDisks, SendDisks, SetAsideServer
from contracts.conductor import BEGIN_LAND, BEGIN_RECEIVE, BEGIN_SEND, CLAIM_MOVE, FINISH_MOVE
from contracts.scheduling import SelectDestinations


def place_move(message: SelectDestinations) -> Signature:
    """Return the canvas that asks the scheduler and claims what it chose."""
    (operation_id,) = message.operation_ids
    claim = rpc.step(CLAIM_MOVE, operation_id=operation_id, attempt=message.attempt)
    canvas = chain(rpc.to_scheduler(message, SelectDestinations.NAME), claim)
    return canvas.on_error(on_failure([operation_id], message.attempt))


def set_aside(order: SetAsideServer) -> Signature:
    """Return the canvas that frees the server of its old host; its end launches the next one."""
    return order_then(order, BEGIN_SEND)


def send_disks(order: SendDisks) -> Signature:
    """Return the canvas that brings the disks on their way; its end launches the next one."""
    return order_then(order, BEGIN_RECEIVE)


def prepare_host(disks: ReceiveDisks, vifs: PlugVifs) -> Signature:
    """Return the canvas that readies the new host: disks and interfaces side by side."""
    return all_then([disks, vifs], BEGIN_LAND)


def land(order: LandServer) -> Signature:
    """Return the canvas that makes the guest on its new host."""
    return order_then(order, FINISH_MOVE)
