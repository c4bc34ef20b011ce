"""Making an image: the host copies the disk and leaves it with the control plane."""

from celery.canvas import Signature

from cloud.conductor.workflows.ordering import order_then
from contracts.compute import SnapshotServer
from contracts.conductor import FINISH_SNAPSHOT


def snapshot_server(order: SnapshotServer) -> Signature:
    """Return the canvas that makes an image of an instance."""
    return order_then(order, FINISH_SNAPSHOT)
