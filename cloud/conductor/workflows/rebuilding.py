"""Rebuilding on the host where a server is: the image first where it must be fetched, then the guest."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import PrepareImage, RebuildServer
from contracts.conductor import BEGIN_REBUILD, FINISH_REBUILD


def fetch_image(order: PrepareImage) -> Signature:
    """Return the canvas that brings the image to the host; its end launches the next one."""
    return order_then(order, BEGIN_REBUILD)


def rebuild_server(order: RebuildServer) -> Signature:
    """Return the canvas that makes the guest anew."""
    return order_then(order, FINISH_REBUILD)
