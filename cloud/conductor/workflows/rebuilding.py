"""Rebuilding on the host where a server is: the image first where it must be fetched, then the guest."""

from celery import chain
from celery.canvas import Signature

from cloud.conductor.workflows.failure import on_failure
from cloud.core import rpc
from contracts.compute import PrepareImage, RebuildServer
from contracts.conductor import BEGIN_REBUILD, FINISH_REBUILD


def fetch_image(order: PrepareImage) -> Signature:
    """Return the canvas that brings the image to the host; its end launches the next one."""
    begin = rpc.step(BEGIN_REBUILD, operation_id=order.operation_id, attempt=order.attempt)
    return chain(rpc.on_host(order), begin).on_error(on_failure([order.operation_id], order.attempt))


def rebuild_server(order: RebuildServer) -> Signature:
    """Return the canvas that makes the guest anew."""
    finish = rpc.step(FINISH_REBUILD, operation_id=order.operation_id, attempt=order.attempt)
    return chain(rpc.on_host(order), finish).on_error(on_failure([order.operation_id], order.attempt))
