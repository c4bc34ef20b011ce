"""Building on a claimed host: image and interfaces side by side where the image must come first, then the guest."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import all_then, order_then
from contracts.compute import DestroyServer, PlugVifs, PrepareImage, SpawnServer
from contracts.conductor import BEGIN_SPAWN, FINISH_CLEARING, FINISH_SPAWN


def prepare_host(image: PrepareImage, vifs: PlugVifs) -> Signature:
    """Return the canvas that readies a host for an instance; its end launches the next one."""
    return all_then([image, vifs], BEGIN_SPAWN)


def clear_host(order: DestroyServer) -> Signature:
    """Return the canvas that makes a host let go of a build; its end launches the next attempt."""
    return order_then(order, FINISH_CLEARING)


def spawn_server(order: SpawnServer) -> Signature:
    """Return the canvas that makes the guest on a host that needs nothing fetched."""
    return order_then(order, FINISH_SPAWN)
