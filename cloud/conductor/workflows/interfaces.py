"""Changing the interfaces of a server that is there: the host is told which ones it shall have."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import SetInterfaces
from contracts.conductor import FINISH_INTERFACES


def set_interfaces(order: SetInterfaces) -> Signature:
    """Return the canvas that attaches or detaches an interface."""
    return order_then(order, FINISH_INTERFACES)
