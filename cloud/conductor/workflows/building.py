"""Building on a claimed host: image and interfaces side by side where the image must come first, then the guest."""

from celery import chord
from celery.canvas import Signature

from cloud.conductor.workflows.failure import on_failure
from cloud.conductor.workflows.ordering import order_then
from cloud.core import rpc
from contracts.compute import PlugVifs, PrepareImage, SpawnServer
from contracts.conductor import BEGIN_SPAWN, FINISH_SPAWN


def prepare_host(image: PrepareImage, vifs: PlugVifs) -> Signature:
    """Return the canvas that readies a host for an instance; its end launches the next one."""
    begin = rpc.step(BEGIN_SPAWN, operation_id=image.operation_id, attempt=image.attempt)
    header = [rpc.on_host(image, keep_result=True), rpc.on_host(vifs, keep_result=True)]
    return chord(header, begin.on_error(on_failure([image.operation_id], image.attempt)))


def spawn_server(order: SpawnServer) -> Signature:
    """Return the canvas that makes the guest on a host that needs nothing fetched."""
    return order_then(order, FINISH_SPAWN)
